"""Dead letters as the commands see them: where one lies, what failed, whom it is about. See docs/operations.md."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import msgspec

from lern_tasks.connections.files import Files
from lern_tasks.delivery import dead_letter
from lern_tasks.delivery.dead_letter import Failure
from lern_tasks.delivery.record import Record
from lern_tasks.errors import InvalidEvent

_USER_FIELDS = ("userId", "userIds", "recipientId", "fromAccountId", "toAccountId")
"""Names under which events carry user ids, in `edata` or in an element of `edata.data`."""


class StoredLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a failed topic as it is stored; `timestamp` is Kafka's, epoch ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True)
class DeadLetter:
    """A stored letter and what it says; letters that Flink jobs wrote have no failure."""

    stored: StoredLetter

    @cached_property
    def failure(self) -> Failure | None:
        """What failed; None when the message is no dead letter of these jobs."""
        opened = self._opened
        return opened[1] if opened else None

    @property
    def failed_ms(self) -> int:
        """When it failed last, epoch ms; Kafka's time when it does not say."""
        return self.failure.last_failed_ms if self.failure else self.stored.timestamp or 0

    @cached_property
    def users(self) -> tuple[str, ...]:
        """The user ids in the value, as far as it can be read."""
        return tuple(dict.fromkeys(_users(self.stored.value)))

    def record(self, files: Files) -> Record:
        """The record that failed, with its whole value. Raises InvalidEvent, and what `Files.get` raises."""
        return dead_letter.from_message(self.stored.headers, self.stored.value, self.stored.key, files)[0]

    def summary(self) -> dict[str, Any]:
        """What a list shows; nothing of the value but user ids."""
        failure = self.failure
        return {
            "topic": self.stored.topic,
            "partition": self.stored.partition,
            "offset": self.stored.offset,
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
            return dead_letter.from_message(self.stored.headers, self.stored.value, self.stored.key)
        except InvalidEvent:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Which letters; what is empty does not restrict. `since_ms` is epoch ms, `places`: topic, partition, offset."""

    jobs: tuple[str, ...] = ()
    error: str = ""
    user: str = ""
    since_ms: int | None = None
    places: tuple[tuple[str, int, int], ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is restricted."""
        return bool(self.jobs or self.error or self.user or self.since_ms is not None or self.places)

    def choose(self, letters: Iterable[DeadLetter]) -> Iterator[DeadLetter]:
        """The letters that meet all criteria."""
        return (letter for letter in letters if self._meets(letter))

    def _meets(self, letter: DeadLetter) -> bool:
        stored, failure = letter.stored, letter.failure
        return (
            (not self.jobs or (failure is not None and failure.job in self.jobs))
            and (not self.error or (failure is not None and _says(failure, self.error)))
            and (not self.user or self.user in letter.users)
            and (self.since_ms is None or letter.failed_ms >= self.since_ms)
            and (not self.places or (stored.topic, stored.partition, stored.offset) in self.places)
        )


def _says(failure: Failure, text: str) -> bool:
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
