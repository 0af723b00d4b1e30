"""Whom a record is about, as far as it can be read: for log lines and lists of dead letters.

See docs/operations.md, "Logs".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from lern_tasks.delivery.record import Record

_USERS = ("userId", "userIds", "recipientId", "fromAccountId", "toAccountId", "user_id")
_COURSES = ("courseId", "course_id")
_BATCHES = ("batchId", "batch_id")

# With a digit, as every id of the platform has: what somebody sent as an id may be a name.
_ID = re.compile(r"(?=\D*\d)[\w.:~-]{1,128}", re.ASCII)

_LOGGED = 10
"""Users in a log line, at most: a request for many becomes one record a user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The ids that an event names; empty where it names none."""

    users: tuple[str, ...] = ()
    course: str = ""
    batch: str = ""


def subject_of(value: str | bytes | None) -> Subject:
    """Whom the event is about: never fails, since it is asked about what is broken."""
    try:
        event = msgspec.json.decode(value or b"null")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Subject()
    if not isinstance(event, dict):
        return Subject()
    parts = list(_parts(event))
    course, batch = next(_texts(parts, _COURSES), ""), next(_texts(parts, _BATCHES), "")
    edata = parts[0] if parts else {}
    return Subject(
        users=tuple(dict.fromkeys([*_texts(parts, _USERS), *_user_of_audit(event)])),
        # A publication has the course as its own id.
        course=course or (edata.get("mimeType") and next(_texts([edata], ("identifier",)), "")) or "",
        batch=batch,
    )


def log_fields(record: Record) -> dict[str, Any]:
    """What a line about the record says of it: whom it is about, its topic, and where the chain began.

    `enrolment` is `user:course:batch`, several apart by blanks; of what is about less, `user` or `course`.
    """
    found = subject_of(record.text)
    users = [user for user in found.users[:_LOGGED] if _ID.fullmatch(user)]
    course, batch = (text if _ID.fullmatch(text) else "" for text in (found.course, found.batch))
    about = {"user": " ".join(users), "course": course, "batch": batch}
    if users and course and batch:
        about = {"enrolment": " ".join(f"{user}:{course}:{batch}" for user in users)}
    return {
        **{name: text for name, text in about.items() if text},
        "topic": record.topic,
        "origin": record.first_origin.text,
    }


def _parts(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The objects that carry ids: `edata`, or the event itself where it has none, and what is within."""
    edata = event.get("edata", event)
    if not isinstance(edata, dict):
        return
    data = edata.get("data")
    for part in (edata, *(data if isinstance(data, list) else ()), edata.get("related")):
        if isinstance(part, dict):
            yield part


def _texts(parts: list[Mapping[str, Any]], names: tuple[str, ...]) -> Iterator[str]:
    for part in parts:
        for name in names:
            found = part.get(name)
            yield from (text for text in (found if isinstance(found, list) else [found]) if isinstance(text, str))


def _user_of_audit(event: Mapping[str, Any]) -> Iterator[str]:
    """The user whose account an audit event is about."""
    subject = event.get("object")
    if isinstance(subject, dict) and isinstance(subject.get("type"), str) and subject["type"].lower() == "user":
        yield from _texts([subject], ("id",))
