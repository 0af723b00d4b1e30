"""Dead letters as the commands see them: where one lies, what failed, whom it is about. See docs/operations.md."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import msgspec

from lern_tasks.connections.files import Files
from lern_tasks.delivery.dead_letter import Failure, from_message
from lern_tasks.delivery.equal_letters import letter_key
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.subject import Subject, subject_of
from lern_tasks.errors import InvalidEvent


class FailedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a failed topic as it is stored; `timestamp` is Kafka's, epoch ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True)
class StoredDeadLetter:
    """A message of a failed topic and what it says; those that Flink jobs wrote have no failure."""

    message: FailedMessage

    @cached_property
    def failure(self) -> Failure | None:
        """What failed; None when the message is no dead letter of these jobs."""
        opened = self._opened
        return opened[1] if opened else None

    @cached_property
    def equal_key(self) -> str | None:
        """Under which it is counted how often equal letters came; None where each stands alone."""
        return letter_key(self._opened[1], self._opened[0]) if self._opened else None

    @property
    def failed_ms(self) -> int:
        """When it failed last, epoch ms; Kafka's time when it does not say."""
        return self.failure.last_failed_ms if self.failure else self.message.timestamp or 0

    @property
    def failed_at(self) -> str:
        """When it failed last: ISO 8601, UTC, to the second."""
        return _iso(self.failed_ms)

    @property
    def place(self) -> str:
        """Where the letter lies: `topic:partition:offset`."""
        return f"{self.message.topic}:{self.message.partition}:{self.message.offset}"

    @cached_property
    def subject(self) -> Subject:
        """Whom it is about, as far as the value can be read."""
        return subject_of(self.message.value)

    @property
    def chain(self) -> object:
        """What letters of one record have in common, also when it was computed anew in between."""
        return (self._opened[0].first_origin, self.subject) if self._opened else self.place

    def record(self, files: Files) -> Record:
        """The record that failed, with its whole value. Raises InvalidEvent, and what `Files.get` raises."""
        return from_message(self.message.headers, self.message.value, self.message.key, files)[0]

    def summary(self) -> dict[str, Any]:
        """What a list shows; nothing of the value but ids."""
        failure = self.failure
        return {
            "topic": self.message.topic,
            "partition": self.message.partition,
            "offset": self.message.offset,
            "letter": self.place,
            "failed_at": self.failed_at,
            "job": failure.job if failure else None,
            "code": failure.code if failure else "NOT_OURS",
            "error": failure.error if failure else "written by another program; it can be shown, not replayed",
            "attempts": failure.attempts if failure else None,
            "users": self.subject.users,
            "course": self.subject.course,
            "batch": self.subject.batch,
        }

    @cached_property
    def _opened(self) -> tuple[Record, Failure] | None:
        try:
            return from_message(self.message.headers, self.message.value, self.message.key)
        except InvalidEvent:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Which dead letters; what is empty does not restrict.

    `since_ms` is epoch ms; `coordinates` are topic, partition and offset.
    """

    jobs: tuple[str, ...] = ()
    error: str = ""
    user: str = ""
    course: str = ""
    batch: str = ""
    since_ms: int | None = None
    coordinates: tuple[tuple[str, int, int], ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is restricted."""
        about = self.user or self.course or self.batch
        return bool(self.jobs or self.error or about or self.since_ms is not None or self.coordinates)

    def choose(self, dead_letters: Iterable[StoredDeadLetter]) -> Iterator[StoredDeadLetter]:
        """Those that meet all criteria."""
        return (dead_letter for dead_letter in dead_letters if self._meets(dead_letter))

    def _meets(self, dead_letter: StoredDeadLetter) -> bool:
        message, failure, subject = dead_letter.message, dead_letter.failure, dead_letter.subject
        return (
            (not self.jobs or (failure is not None and failure.job in self.jobs))
            and (not self.error or (failure is not None and _matches(failure, self.error)))
            and (not self.user or self.user in subject.users)
            and (not self.course or self.course == subject.course)
            and (not self.batch or self.batch == subject.batch)
            and (self.since_ms is None or dead_letter.failed_ms >= self.since_ms)
            and (not self.coordinates or (message.topic, message.partition, message.offset) in self.coordinates)
        )


def _matches(failure: Failure, text: str) -> bool:
    wanted = text.lower()
    return wanted == failure.code.lower() or wanted in failure.error.lower() or wanted in failure.exception.lower()


def _iso(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
