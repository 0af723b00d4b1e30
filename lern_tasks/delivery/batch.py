"""The records of one task message and what became of each. See docs/architecture.md, "Outcomes"."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeGuard, TypeVar

from lern_tasks.connections.calls import calling_for
from lern_tasks.delivery.record import Record
from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, PartlyDown

E = TypeVar("E")


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The event is well-formed and not for this job, or asks for nothing; `reason` says why, for logs and counters."""

    reason: str


Parse = Callable[[str | None], E | Skipped]
"""JSON text to an event, or the reason why it is none of this job's. Raises InvalidEvent."""


@dataclass(frozen=True, slots=True)
class Done:
    """All effects of the record have happened."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing was to be done, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The record failed; the error decides whether it is tried again."""

    error: BaseException


Outcome = Done | Skip | Failed


@dataclass(slots=True, eq=False)
class BatchRecord(Generic[E]):
    """One record, its event, and its outcome once there is one.

    `delivered_before`: an earlier delivery may have done a part of the work.
    """

    record: Record
    delivered_before: bool
    _event: E | None = None
    outcome: Outcome | None = None

    @property
    def event(self) -> E:
        """The parsed event; only records without an outcome have one for sure."""
        assert self._event is not None  # noqa: S101 (parsing gives an event or an outcome)
        return self._event

    @property
    def unreadable(self) -> bool:
        """The job refused the value itself."""
        return self._event is None and isinstance(self.outcome, Failed) and isinstance(self.outcome.error, InvalidEvent)

    def parse(self, parse: Parse[E]) -> None:
        """Read the event; what is invalid or not this job's gets its outcome."""
        try:
            if self.record.encoding != "utf-8":
                raise InvalidEvent("the value is not UTF-8 text; send JSON in UTF-8")
            event = parse(self.record.text)
        except InvalidEvent as error:
            self.outcome = Failed(error)
            return
        if isinstance(event, Skipped):
            self.outcome = Skip(event.reason)
        else:
            self._event = event

    def done(self) -> None:
        """All effects of this record have happened."""
        self.outcome = Done()

    def skip(self, reason: str) -> None:
        """Nothing is to be done for this record."""
        self.outcome = Skip(reason)

    def fail(self, error: BaseException) -> None:
        """This record failed with `error`."""
        self.outcome = Failed(error)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """An error raised inside is the outcome of this record alone; services are asked in its name."""
        try:
            with calling_for(self.record.identity):
                yield
        except LernError as error:
            self.fail(error)


@dataclass(slots=True)
class Batch(Generic[E]):
    """The records of one message."""

    records: Sequence[BatchRecord[E]] = field(default_factory=list)

    def __iter__(self) -> Iterator[BatchRecord[E]]:
        return iter(self.records)

    @property
    def open(self) -> list[BatchRecord[E]]:
        """The records without an outcome."""
        return [record for record in self.records if record.outcome is None]

    def fail_open(self, error: BaseException) -> None:
        """All that have no outcome failed with `error`."""
        for record in self.open:
            record.fail(error)

    def blocked(self) -> DependencyDown | None:
        """The outage that is to be waited out in place, if any."""
        for record in self.records:
            if isinstance(record.outcome, Failed) and _is_blocking(record.outcome.error):
                return record.outcome.error
        return None

    def reopen_blocked(self) -> None:
        """Take back the outcomes that an outage gave, to try again: a part of the work may be done by then."""
        for record in self.records:
            if isinstance(record.outcome, Failed) and _is_blocking(record.outcome.error):
                record.outcome = None
                record.delivered_before = True


def fail_each(records: Iterable[BatchRecord[E]], error: LernError) -> None:
    """Those of `records` that have no outcome failed with `error`."""
    for record in records:
        if record.outcome is None:
            record.fail(error)


def _is_blocking(error: BaseException) -> TypeGuard[DependencyDown]:
    return isinstance(error, DependencyDown) and not isinstance(error, PartlyDown)
