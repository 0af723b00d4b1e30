"""What is to be changed in the cached hash of a user. See docs/jobs/user_cache_updater.md, "Rules"."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lern_tasks.jobs.users.rules.framework import PREFIX
from lern_tasks.jobs.users.rules.sign_in import Dated

_PERSONAL: Final = frozenset({"firstname", "lastname", "email", "phone"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Fields to set, names to remove, and the times of the events behind fields that came from events, epoch ms."""

    fields: Mapping[str, str] = field(repr=False)
    removed: frozenset[str]
    event_times: Mapping[str, int]


def decide_update(
    *,
    profile: Mapping[str, str] | None,
    events: Mapping[str, Dated],
    stored: Mapping[str, str],
    event_times: Mapping[str, int],
    removable: Collection[str],
    dynamic: bool,
    erased: bool = False,
) -> Update:
    """What `profile` and `events` change in `stored`, whose fields from events have `event_times`.

    `profile` is None when the user was not read: then nothing is removed. `removable` names the fields that go when
    the profile does not have them; with `dynamic` those of the framework's categories too. `erased`: the account was
    deleted and its profile is not to be had any more, so what is personal goes.
    """
    kept = {name: dated for name, dated in events.items() if dated >= _last(name, stored, event_times)}
    fields = {**(profile or {}), **{name: dated.value for name, dated in kept.items()}}
    if profile is None:
        gone = _PERSONAL & stored.keys() if erased else frozenset[str]()
    else:
        gone = _gone(stored, fields, removable, dynamic=dynamic)
    return Update(fields=fields, removed=gone, event_times={name: dated.time_ms for name, dated in kept.items()})


def _last(name: str, stored: Mapping[str, str], event_times: Mapping[str, int]) -> Dated:
    # What no event of ours wrote (the bulk job did, or the Flink job) is older than any event.
    return Dated(time_ms=event_times.get(name, -1), value=stored.get(name, ""))


def _gone(
    stored: Iterable[str], fields: Mapping[str, str], removable: Collection[str], *, dynamic: bool
) -> frozenset[str]:
    may_go = (name for name in stored if name in removable or (dynamic and name.startswith(PREFIX)))
    return frozenset(name for name in may_go if name not in fields)
