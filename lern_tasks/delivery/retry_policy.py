"""Whether a failed record is tried again, and when. See docs/architecture.md, section "Failure"."""

from dataclasses import dataclass
from typing import Literal

from lern_tasks.errors import DependencyDown, LernError, LockBusy, NotReady, TransientError, UnknownOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLimits:
    """How often and how long; all durations in seconds."""

    retries: int = 5
    """With the waits below up to 162 seconds: longer than a garbage collection or the failover of one node."""
    base: float = 2.0
    """The first wait is up to this: a request that met a busy node mostly passes at once."""
    factor: float = 4.0
    """Steep, so that five attempts reach past a short overload instead of adding to it."""
    cap: float = 60.0
    """The longest wait; the broker's visibility timeout counts on it."""
    not_yet_delays: tuple[float, ...] = (10.0, 30.0, 60.0, 120.0, 300.0)
    """A relation cache is rebuilt within seconds, a publication within minutes; the sum is nearly nine minutes."""
    not_yet_free_delay: float = 30.0
    """For waiting that is not counted: the lag after which a search index shows a new document."""
    lock_delay: float = 1.0
    """Whoever holds the lock is mostly done within a second."""
    outage_delay: float = 10.0
    """Often enough to resume soon after an outage, rare enough that the waiting records are no load."""
    max_outage: float = 86_400.0
    """A day: an outage that nobody mends within a day needs a person, who replays the dead letters."""
    index_lag: float = 30.0
    """After a write without answer, the time until the registry's index shows whether it happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Try again after `delay_seconds`; `consumes` names the count that goes up by one, None for neither."""

    delay_seconds: float
    consumes: Literal["attempt", "not_yet"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The record is dead; `code` goes into its dead letter."""

    code: str


Decision = Again | GiveUp


def decide(
    error: LernError,
    *,
    attempt: int,
    not_yet: int,
    first_failed_ms: int | None,
    now_ms: int,
    limits: RetryLimits,
    jitter: float,
) -> Decision:
    """Decide what becomes of a record that failed with `error`.

    `attempt` and `not_yet` are what it has spent before, 0 at its first failure; `first_failed_ms` and `now_ms` are
    epoch ms; `jitter` is a random number in [0, 1).
    """
    age = max(0, now_ms - first_failed_ms) / 1000 if first_failed_ms is not None else 0.0
    match error:
        case DependencyDown():
            return _by_age(error, age, limits.outage_delay, limits)
        case NotReady(consumes=False):
            return _by_age(error, age, limits.not_yet_free_delay, limits)
        case NotReady():
            return _not_yet(error, not_yet, limits)
        case LockBusy():
            return Again(delay_seconds=limits.lock_delay, consumes=None)
        case TransientError():
            return _transient(error, attempt, limits, jitter)
        case _:
            return GiveUp(code=error.code)


def _by_age(error: LernError, age: float, delay: float, limits: RetryLimits) -> Decision:
    """An outage is not the record's fault: it spends nothing and ends by age alone."""
    return GiveUp(code=error.code) if age >= limits.max_outage else Again(delay_seconds=delay, consumes=None)


def _not_yet(error: NotReady, spent: int, limits: RetryLimits) -> Decision:
    if spent >= len(limits.not_yet_delays):
        return GiveUp(code=error.code)
    return Again(delay_seconds=limits.not_yet_delays[spent], consumes="not_yet")


def _transient(error: TransientError, spent: int, limits: RetryLimits, jitter: float) -> Decision:
    """Full jitter, so that records which failed together do not come back together."""
    if spent >= limits.retries:
        return GiveUp(code=error.code)
    delay = jitter * min(limits.cap, limits.base * limits.factor**spent)
    if error.retry_after is not None:
        delay = min(limits.cap, max(delay, error.retry_after))
    if isinstance(error, UnknownOutcome):
        delay = max(delay, limits.index_lag)
    return Again(delay_seconds=delay, consumes="attempt")
