"""Events of `{env}.telemetry.audit`. See docs/jobs/user_cache_updater.md, section "Event"."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lern_tasks.delivery.batch import Skipped
from lern_tasks.errors import InvalidEvent
from lern_tasks.sunbird.envelope import decode, event_time, optional_id
from lern_tasks.sunbird.json_text import json_type

STATES: Final = frozenset({"CREATE", "CREATED", "UPDATE", "UPDATED", "DELETE", "DELETED"})

_DELETED: Final = frozenset({"DELETE", "DELETED"})
_SIGN_UP, _ROLE = "signuptype", "userrole"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEvent:
    """A user was created, changed or deleted; what was changed is not in the event but read from the user service.

    `producer` is the telemetry's `pid`, empty when the event does not say. `sign_up` and `login_role` are what it says
    of how the user signed up and logged in. `deleted`: the account was.
    `ets`: when the event was made, epoch ms, if it says so.
    """

    user_id: str
    producer: str
    sign_up: str | None
    login_role: str | None
    ets: int | None
    deleted: bool = False


def parse(value: str | None) -> UserEvent | Skipped:
    """Read the value of a record. Raises InvalidEvent; see the section for what is invalid and what is skipped."""
    event = decode(value)
    subject, data = event.get("object"), event.get("edata")
    if not isinstance(subject, dict) or _text(subject, "type").lower() != "user":
        return Skipped(reason="not about a user")
    if not isinstance(data, dict) or _text(data, "state").upper() not in STATES:
        return Skipped(reason="another state")
    user_id = optional_id(subject, "id", path="object")
    if user_id is None:
        raise InvalidEvent("object.id is missing or blank; send the user's id as text", "object.id")
    context = _object(event, "context", "context")
    correlated = _last_by_type(context)
    return UserEvent(
        user_id=user_id,
        producer=_text(_object(context, "pdata", "context.pdata"), "pid"),
        sign_up=correlated.get(_SIGN_UP),
        login_role=correlated.get(_ROLE),
        ets=event_time(event),
        deleted=_text(data, "state").upper() in _DELETED,
    )


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _object(data: Mapping[str, Any], name: str, field: str) -> Mapping[str, Any]:
    value = data.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidEvent(f"{field} is {json_type(value)}; send an object, or leave it out", field)
    return value


def _last_by_type(context: Mapping[str, Any]) -> dict[str, str]:
    """The id of the last correlation entry of each type, types in lower case; entries without both are passed over."""
    entries = context.get("cdata")
    if entries is None:
        return {}
    if not isinstance(entries, list):
        raise InvalidEvent(
            f"context.cdata is {json_type(entries)}; send a list, or leave it out",
            "context.cdata",
        )
    return {
        entry["type"].lower(): entry["id"]
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("type"), str) and isinstance(entry.get("id"), str)
    }
