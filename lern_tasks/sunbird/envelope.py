"""The envelope of every job event, and readers of its fields. See docs/jobs/activity_aggregate_updater.md, "Event".

Readers raise InvalidEvent that names the field and the remedy. Fields that no reader asks for are ignored.
"""

from collections.abc import Mapping
from typing import Any

from lern_tasks.errors import InvalidEvent
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.json_text import decode_object, json_type

MAX_ID_BYTES = 1_000
"""An id becomes a part of a URL, in which each of its bytes may be three characters: servers take 4 to 8 KiB for the
whole, and what they do with more (no answer, a closed connection) looks like an outage. Three of them are far below
Cassandra's 65,535 bytes for a partition key. Real ids have fewer than 100 bytes."""

# The end of the year 9999, the last that Python's and Cassandra's timestamps both hold.
MAX_TIME_MS = 253_402_300_799_999


def decode(value: str | None) -> dict[str, Any]:
    """Decode the value of a record; None stands for a value that is absent or not UTF-8.

    Raises InvalidEvent when it is not a JSON object.
    """
    if value is None:
        raise InvalidEvent("the record has no value, or one that is not UTF-8 text; send a JSON object")
    return decode_object(value, "the event")


def edata(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event's data. Raises InvalidEvent when it is absent or not an object: every job event has one."""
    data = event.get("edata")
    if not isinstance(data, dict):
        raise _invalid("edata", "missing" if data is None else json_type(data), "send an object")
    return data


def action_of(data: Mapping[str, Any]) -> str:
    """`edata.action`; empty when it is absent or not text, as such an action is no job's own."""
    action = data.get("action")
    return action if isinstance(action, str) else ""


def event_time(event: Mapping[str, Any]) -> int | None:
    """`ets`, epoch ms; None when it is absent or no time. Nothing is decided by it, so it is never an error."""
    ets = event.get("ets")
    if isinstance(ets, bool) or not isinstance(ets, int | float) or not 0 <= ets <= MAX_TIME_MS:
        return None
    return int(ets)


def required_id(data: Mapping[str, Any], name: str, *, path: str = "edata") -> str:
    """An id that the job cannot do without: text, not blank, fit for a key of Cassandra.

    `path` is the dotted path of the object that holds the field, empty for the event itself. Raises InvalidEvent.
    """
    value = optional_id(data, name, path=path)
    if value is None:
        state = "missing" if data.get(name) is None else "blank"
        raise _invalid(f"{path}.{name}".lstrip("."), state, "send the id as text")
    return value


def optional_id(data: Mapping[str, Any], name: str, *, path: str = "edata") -> str | None:
    """An id that may be absent, null or blank (then None). Raises InvalidEvent when it is there and cannot be an id.

    `path` is the dotted path of the object that holds the field, for the message; empty for the event itself.
    """
    value = data.get(name)
    field = f"{path}.{name}".lstrip(".")
    if value is None:
        return None
    if not isinstance(value, str):
        raise _invalid(field, json_type(value), "send the id as text")
    if not value.strip():
        return None
    check_text(value, field, most=MAX_ID_BYTES)
    return value


def check_text(value: str, field: str, *, most: int) -> None:
    """Raise InvalidEvent for a text of more than `most` bytes, or with a NUL: it becomes a key, a path or a URL."""
    if "\0" in value:
        raise _invalid(field, "text with a NUL character", "send it without that")
    if len(value.encode()) > most:
        raise _invalid(field, f"longer than {most} bytes", "send a real one")


def required_list(data: Mapping[str, Any], name: str) -> list[Any]:
    """A list; an absent field is an empty one. Raises InvalidEvent when it is null or anything else."""
    value = data.get(name, [])
    if not isinstance(value, list):
        raise _invalid(f"edata.{name}", json_type(value), "send a list, or leave the field out")
    return value


def enrolment_key(data: Mapping[str, Any]) -> EnrolmentKey:
    """Whose enrolment `edata` is about: `userId`, `courseId`, `batchId`. Raises InvalidEvent."""
    return EnrolmentKey(
        user_id=required_id(data, "userId"),
        course_id=required_id(data, "courseId"),
        batch_id=required_id(data, "batchId"),
    )


def _invalid(field: str, state: str, remedy: str) -> InvalidEvent:
    return InvalidEvent(f"{field} is {state}; {remedy}", field)
