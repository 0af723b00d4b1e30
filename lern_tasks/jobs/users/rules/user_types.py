"""What a user is (teacher, administrator, ...). See docs/jobs/user_cache_updater.md, "Values"."""

from collections.abc import Iterable
from typing import Any

from lern_tasks.jobs.users.rules.text import escaped, json_text


def type_fields(entries: Any) -> dict[str, str]:
    """`usertype`, `usersubtype` and `profileusertypes` of a list of `{"type", "subType"}`; none when it is empty.

    An entry without a type counts in `profileusertypes` all the same.
    """
    if not isinstance(entries, list) or not entries:
        return {}
    return {
        "usertype": escaped(joined(_texts(entries, "type"))),
        "usersubtype": escaped(joined(_texts(entries, "subType"))),
        # As JSON first and escaped then: the Flink job's form, which readers know.
        "profileusertypes": escaped(json_text(entries)),
    }


def joined(values: Iterable[str | None]) -> str:
    """The different values that are not empty, in the order in which they first come, with commas."""
    return ",".join(dict.fromkeys(value for value in values if value))


def _texts(entries: Iterable[Any], name: str) -> Iterable[str]:
    values = (entry.get(name) for entry in entries if isinstance(entry, dict))
    return (value for value in values if isinstance(value, str))
