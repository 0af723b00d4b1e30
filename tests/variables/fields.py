"""The settings that stand for documented variables, and the lines of the tables that show their effect."""

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lern_tasks.settings import Settings
from tests.variables.tables import CASES, NO_EFFECT


def fields() -> Iterator[tuple[str, str, FieldInfo, list[str]]]:
    """Scope, name, field and documented keys of each setting that stands for a documented variable."""
    for scope, group in Settings.model_fields.items():
        if not isinstance(group.annotation, type) or not issubclass(group.annotation, BaseModel):
            continue
        for name, field in group.annotation.model_fields.items():
            extra = field.json_schema_extra
            keys = extra.get("documented") if isinstance(extra, dict) else None
            if isinstance(keys, list) and keys:
                yield scope, name, field, [str(key) for key in keys]


FIELDS = list(fields())
OF_KEY = {(scope, key): (name, field) for scope, name, field, keys in FIELDS for key in keys}
VALUES = {(line.scope, line.key): line.value for line in (*CASES, *(idle.case for idle in NO_EFFECT))}


def value_of(scope: str, keys: list[str]) -> str | None:
    """The value that a line gives the variable with these spellings; None without a line."""
    return next((VALUES[scope, key] for key in keys if (scope, key) in VALUES), None)


def without_line(scope: str) -> list[str]:
    """The variables of a scope that have no line."""
    return [keys[0] for of, _, _, keys in FIELDS if of == scope and value_of(of, keys) is None]
