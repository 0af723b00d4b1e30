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
from lern_tasks.errors import InvalidEvent

_USER_FIELDS = ("userId", "userIds", "recipientId", "fromAccountId", "toAccountId")
"""Names under which events carry user ids, in `edata` or in an element of `edata.data`."""


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

    @cached_property
    def users(self) -> tuple[str, ...]:
        """The user ids in the value, as far as it can be read."""
        return tuple(dict.fromkeys(_users(self.message.value)))

    def record(self, files: Files) -> Record:
        """The record that failed, with its whole value. Raises InvalidEvent, and what `Files.get` raises."""
        return from_message(self.message.headers, self.message.value, self.message.key, files)[0]

    def summary(self) -> dict[str, Any]:
        """What a list shows; nothing of the value but user ids."""
        failure = self.failure
        return {
            "topic": self.message.topic,
            "partition": self.message.partition,
            "offset": self.message.offset,
            "failed_at": _iso(self.failed_ms),
            "job": failure.job if failure else None,
            "code": failure.code if failure else "NOT_OURS",
            "error": failure.error if failure else "written by another program; it can be shown, not replayed",
            "attempts": failure.attempts if failure else None,
            "users": self.users,
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
    since_ms: int | None = None
    coordinates: tuple[tuple[str, int, int], ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is restricted."""
        return bool(self.jobs or self.error or self.user or self.since_ms is not None or self.coordinates)

    def choose(self, dead_letters: Iterable[StoredDeadLetter]) -> Iterator[StoredDeadLetter]:
        """Those that meet all criteria."""
        return (dead_letter for dead_letter in dead_letters if self._meets(dead_letter))

    def _meets(self, dead_letter: StoredDeadLetter) -> bool:
        message, failure = dead_letter.message, dead_letter.failure
        return (
            (not self.jobs or (failure is not None and failure.job in self.jobs))
            and (not self.error or (failure is not None and _matches(failure, self.error)))
            and (not self.user or self.user in dead_letter.users)
            and (self.since_ms is None or dead_letter.failed_ms >= self.since_ms)
            and (not self.coordinates or (message.topic, message.partition, message.offset) in self.coordinates)
        )


def _matches(failure: Failure, text: str) -> bool:
    wanted = text.lower()
    return wanted == failure.code.lower() or wanted in failure.error.lower() or wanted in failure.exception.lower()


def _users(value: bytes | None) -> Iterator[str]:
    try:
        event = msgspec.json.decode(value or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    edata = event.get("edata", event) if isinstance(event, dict) else None
    if not isinstance(edata, dict):
        return
    data = edata.get("data")
    for part in (edata, *(data if isinstance(data, list) else ())):
        if isinstance(part, dict):
            for name in _USER_FIELDS:
                found = part.get(name)
                yield from (user for user in (found if isinstance(found, list) else [found]) if isinstance(user, str))


def _iso(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
