"""The framework a user has chosen: board, medium, class, subject. See docs/jobs/user_cache_updater.md, "Values"."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lern_tasks.jobs.users.rules.text import stored, whole

PREFIX: Final = "framework_"
"""What the names of the dynamic fields begin with."""


def framework_id(framework: Any) -> str:
    """The id of the framework; empty when there is none."""
    found = _first(framework.get("id")) if isinstance(framework, Mapping) else None
    return found if isinstance(found, str) else ""


def legacy_fields(framework: Any) -> dict[str, str]:
    """The five fields of a map of lists; none when the map is empty."""
    if not isinstance(framework, Mapping) or not framework:
        return {}
    return {
        "board": stored(_first(framework.get("board"))),
        "framework": stored(_first(framework.get("id"))),
        "medium": stored(_list(framework.get("medium"))),
        "grade": stored(_list(framework.get("gradeLevel"))),
        "subject": stored(_list(framework.get("subject"))),
    }


def dynamic_fields(framework: Any, categories: Iterable[str]) -> dict[str, str]:
    """`framework_id`, and `framework_<category>` for each category that has values."""
    identifier = framework_id(framework)
    if not identifier:
        return {}
    values = {category: _list(framework.get(category)) for category in categories}
    found = {whole(PREFIX + category): stored(listed) for category, listed in values.items() if listed}
    return {**found, f"{PREFIX}id": stored(identifier)}


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _first(value: Any) -> Any:
    return next(iter(_list(value)), None)
