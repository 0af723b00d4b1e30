"""Whether what failed is tried again, and when. See docs/architecture.md, section "Failure".

`decide` is the rule, without clock, settings or I/O; `RetryPolicy` applies it for event jobs and resumable tasks.
"""

import random
from dataclasses import dataclass
from typing import Literal, Self

from lern_tasks.delivery.record import Attempts
from lern_tasks.delivery.resources import Resources
from lern_tasks.errors import (
    DependencyDown,
    LernError,
    LockBusy,
    NotReady,
    PartlyDown,
    Requeue,
    TransientError,
    UnknownOutcome,
)
from lern_tasks.logs import logger
from lern_tasks.settings import Settings

_log = logger(__name__)


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

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The limits that an installation has, for what has waited out an outage in place already."""
        tasks = settings.tasks
        return cls(
            retries=tasks.retries,
            base=tasks.retry_base,
            cap=float(tasks.countdown_cap),
            not_yet_delays=tuple(tasks.not_yet_delays),
            outage_delay=0.0,
            max_outage=float(tasks.max_outage),
            index_lag=settings.index_lag,
        )


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


class RetryPolicy:
    """Decides about all that failed at one moment, `now_ms` (epoch ms).

    What failed together shares one jitter, and a dependency is asked once whether it answers: each question may take
    as long as a call.
    """

    def __init__(self, ctx: Resources) -> None:
        self.now_ms = ctx.now_ms()
        self._ctx = ctx
        self._limits = RetryLimits.from_settings(ctx.settings)
        self._jitter = random.random()  # noqa: S311 (spreads retries, guards nothing)
        self._outages: dict[str, DependencyDown | None] = {}

    def next(self, attempts: Attempts, error: BaseException) -> Decision:
        """Decide what becomes of a record, or page, that has spent `attempts` and failed with `error`."""
        if isinstance(error, Requeue):
            return Again(delay_seconds=error.delay, consumes=None)
        if not isinstance(error, LernError):
            return GiveUp(code="BUG")
        return decide(error, attempts, now_ms=self.now_ms, limits=self._limits, jitter=self._jitter)

    def until_confirmed(self, attempts: Attempts, error: LernError) -> Again:
        """When a record whose dead letter was not confirmed comes again: it does so for as long as it takes."""
        decision = self.next(attempts, error)
        return decision if isinstance(decision, Again) else Again(delay_seconds=self._limits.cap, consumes=None)

    def outage_behind(self, error: BaseException) -> DependencyDown | None:
        """The outage that explains `error`, when the dependency that it names answers nobody: then nobody is at fault.

        Not only to be asked when the attempts are spent: else all that an outage had spent would be dead at the first
        answer that comes too late in the moment when the dependency is back.
        """
        if isinstance(error, DependencyDown):
            return error
        if not isinstance(error, TransientError) or not error.dependency:
            return None
        if error.dependency not in self._outages:
            self._outages[error.dependency] = self._probe(error.dependency)
        return self._outages[error.dependency]

    def _probe(self, dependency: str) -> DependencyDown | None:
        try:
            self._ctx.probe(dependency)
        except DependencyDown as down:
            return down
        except LernError as error:
            _log.warning("probe_failed", dependency=dependency, error=error.code)
        return None


def decide(error: LernError, attempts: Attempts, *, now_ms: int, limits: RetryLimits, jitter: float) -> Decision:
    """Decide what becomes of a record that failed with `error`, and has spent `attempts` before.

    `now_ms` is epoch ms; `jitter` is a random number in [0, 1).
    """
    first_failed_ms = attempts.first_failed_ms
    age = max(0, now_ms - first_failed_ms) / 1000 if first_failed_ms is not None else 0.0
    match error:
        case DependencyDown():
            delay = _round(age, limits, jitter) if isinstance(error, PartlyDown) else limits.outage_delay
            return _by_age(error, age, delay, limits)
        case NotReady(consumes=False):
            return _by_age(error, age, limits.not_yet_free_delay, limits)
        case NotReady():
            return _not_yet(error, attempts.not_yet, limits)
        case LockBusy():
            return Again(delay_seconds=limits.lock_delay, consumes=None)
        case TransientError():
            return _transient(error, attempts.attempt, limits, jitter)
        case _:
            return GiveUp(code=error.code)


def _by_age(error: LernError, age: float, delay: float, limits: RetryLimits) -> Decision:
    """An outage is not the record's fault: it spends nothing and ends by age alone."""
    return GiveUp(code=error.code) if age >= limits.max_outage else Again(delay_seconds=delay, consumes=None)


def _round(age: float, limits: RetryLimits, jitter: float) -> float:
    """As long again as the record has waited, so that short outages end soon and long ones are no load; spread."""
    return min(limits.cap, max(limits.base, age)) * (1 - jitter / 2)


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
