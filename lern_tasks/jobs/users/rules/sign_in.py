"""The two fields of the user cache that come from events. See docs/jobs/user_cache_updater.md, "Rules"."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lern_tasks.jobs.users.rules.text import stored

SIGN_IN: Final = "usersignintype"
LOGIN: Final = "userlogintype"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInTypes:
    """Which ways to sign up mean which sign-in type; ids are compared exactly."""

    self_signed: frozenset[str]
    self_signed_name: str
    validated: frozenset[str]
    validated_name: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Dated:
    """A value and the time of its event, epoch ms. The order is by time; within a millisecond, by the value."""

    time_ms: int
    value: str


def event_fields(sign_up: str | None, login_role: str | None, types: SignInTypes) -> dict[str, str]:
    """The fields that an event says something of."""
    fields = {}
    if sign_up in types.self_signed:
        fields[SIGN_IN] = stored(types.self_signed_name)
    elif sign_up in types.validated:
        fields[SIGN_IN] = stored(types.validated_name)
    if login_role is not None:
        fields[LOGIN] = stored(login_role)
    return fields


def event_time(ets: int | None, received_ms: int | None) -> int:
    """When an event was made, epoch ms: never later than Kafka took it, as a wrong clock would win for ever.

    An event that says neither is older than all others.
    """
    return min((time for time in (ets, received_ms) if time is not None), default=0)


def newest(events: Iterable[Mapping[str, Dated]]) -> dict[str, Dated]:
    """Of each field the newest value."""
    found: dict[str, Dated] = {}
    for event in events:
        for name, dated in event.items():
            found[name] = max(found.get(name, dated), dated)
    return found
