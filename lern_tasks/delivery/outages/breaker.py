"""What is known about one operation of a service, and what follows from it: values in, values out.

See docs/architecture.md, "Outages". Times are epoch ms by Redis' clock; records are named by their identity.
"""

from dataclasses import dataclass, replace
from typing import Final

OPENS_AT: Final = 3
"""Different records that failed with no success in between: one or two may be at fault, three are no coincidence."""

_DENSE_MS: Final = 1000
"""Successes nearer to the last one are not noted down while nothing fails: they would say nothing new."""

_DOUBLINGS: Final = 16
"""Beyond these the pause between two probes is the longest anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How often an operation that is out is probed, and how long one who probes may take."""

    probe_min_ms: int
    probe_max_ms: int
    lease_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """A call that succeeded."""

    record: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """One operation.

    `last` is the last success, `other` the last one of another record. Since then `failing` failed, the first of them
    at `since_ms`, the last with `error`. While it is open nobody asks but `prober`, until `lease_ms`; the next may at
    `next_probe_ms`.
    """

    last: Success | None = None
    other: Success | None = None
    failing: tuple[str, ...] = ()
    since_ms: int = 0
    error: str = ""
    probes: int = 0
    next_probe_ms: int = 0
    prober: str = ""
    lease_ms: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the operation is out: all records wait but the one that probes."""
        return len(self.failing) >= OPENS_AT


def rests(breaker: Breaker, now_ms: int, timing: Timing) -> bool:
    """Whether nobody may ask now: the operation is out, and somebody probes or has just done so."""
    if not breaker.is_open:
        return False
    probing = bool(breaker.prober) and _is_ahead(breaker.lease_ms, now_ms, timing.lease_ms)
    return probing or _is_ahead(breaker.next_probe_ms, now_ms, timing.probe_max_ms)


def admitted(breaker: Breaker, record: str, now_ms: int, timing: Timing) -> Breaker | None:
    """The breaker once `record` asks, which takes the lease of an open one; None when it must not ask."""
    if rests(breaker, now_ms, timing):
        return None
    return replace(breaker, prober=record, lease_ms=now_ms + timing.lease_ms) if breaker.is_open else breaker


def succeeded(breaker: Breaker, record: str, now_ms: int) -> Breaker:
    """The breaker after a success, which ends an outage; unchanged when that would say nothing new."""
    last = breaker.last
    if last is not None and not breaker.failing and 0 <= now_ms - last.at_ms < _DENSE_MS:
        return breaker
    other = breaker.other if last is None or last.record == record else last
    return Breaker(last=Success(record=record, at_ms=now_ms), other=other)


def failed(breaker: Breaker, record: str, error: str, now_ms: int, timing: Timing) -> Breaker:
    """The breaker after a failure."""
    known = record in breaker.failing or breaker.is_open
    probes = breaker.probes + 1 if breaker.is_open else 0
    pause = min(timing.probe_max_ms, timing.probe_min_ms << min(probes, _DOUBLINGS))
    return replace(
        _given_back(breaker, record),
        failing=breaker.failing if known else (*breaker.failing, record),
        since_ms=breaker.since_ms if breaker.failing else now_ms,
        error=error,
        probes=probes,
        next_probe_ms=now_ms + pause,
    )


def abandoned(breaker: Breaker, record: str) -> Breaker:
    """The breaker after a call that said nothing: another record may probe at once."""
    return _given_back(breaker, record)


def spends_attempt(breaker: Breaker, record: str, failed_before_ms: int | None) -> bool:
    """Whether a failure is the record's own: the operation did for another record what it has now failed to do twice.

    `failed_before_ms` is the record's failure before this one; without one there is nothing to compare with yet.
    """
    if failed_before_ms is None:
        return False
    successes = (breaker.last, breaker.other)
    return any(
        success is not None and success.record != record and success.at_ms > failed_before_ms for success in successes
    )


def _given_back(breaker: Breaker, record: str) -> Breaker:
    return replace(breaker, prober="", lease_ms=0) if breaker.prober == record else breaker


def _is_ahead(moment_ms: int, now_ms: int, longest_ms: int) -> bool:
    """Whether `moment_ms` is still to come; one further ahead than it was ever set is of a clock that was set back."""
    return 0 < moment_ms - now_ms <= longest_ms
