"""Sending dead letters to their task again, once. See docs/operations.md, "When something fails"."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Literal

from lern_tasks import catalogue
from lern_tasks.cli.dead_letters.stored import FailedMessage, StoredDeadLetter
from lern_tasks.connections.files import Files
from lern_tasks.connections.redis import Client, translated
from lern_tasks.delivery.task_sender import Sender, derived_id
from lern_tasks.errors import InvalidEvent, RefusedByService

ReplayOutcome = Literal["replayed", "would be replayed", "replayed before", "cannot be replayed"]

_KEPT = 400 * 24 * 3600
"""Seconds that a mark is kept: longer than failed topics are, and not for ever."""

_AT_ONCE = 500
"""Marks read in one round trip."""


class Replayed:
    """Which dead letters were replayed, and when: one key each in the state Redis."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def when(self, dead_letters: Sequence[StoredDeadLetter]) -> list[str | None]:
        """When each was replayed last, ISO 8601; None for never. Raises DependencyDown."""
        if not dead_letters:
            return []
        with translated():
            found = self._client.mget([_key(dead_letter.message) for dead_letter in dead_letters])
        return [None if when is None else str(when) for when in found]

    def mark(self, dead_letter: StoredDeadLetter) -> None:
        """Remember that the dead letter was replayed now. Raises DependencyDown."""
        with translated():
            self._client.set(_key(dead_letter.message), datetime.now(UTC).isoformat(timespec="seconds"), ex=_KEPT)


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of one dead letter."""

    dead_letter: StoredDeadLetter
    outcome: ReplayOutcome
    detail: str = ""


def replay(
    dead_letters: Iterable[StoredDeadLetter],
    sender: Sender,
    replayed: Replayed,
    files: Files,
    *,
    again: bool,
    dry_run: bool,
) -> Iterator[Replay]:
    """Send the record of each dead letter to its task, on the queue for mass work; one result each, in order.

    Sent first and marked then: a crash between the two sends it twice, which tasks bear, and never loses it. Raises
    DependencyDown when broker, Redis or file store does not answer; what was yielded is done.
    """
    for group in _groups(dead_letters):
        for dead_letter, before in zip(group, replayed.when(group), strict=True):
            if dead_letter.failure is None or dead_letter.failure.job not in catalogue.JOBS:
                yield Replay(dead_letter, "cannot be replayed", "no task of these jobs takes it")
            elif before is not None and not again:
                yield Replay(dead_letter, "replayed before", f"at {before}; --again sends it once more")
            elif dry_run:
                yield Replay(dead_letter, "would be replayed")
            else:
                yield _send(dead_letter, sender, replayed, files)


def _send(dead_letter: StoredDeadLetter, sender: Sender, replayed: Replayed, files: Files) -> Replay:
    job = next(job for job in catalogue.JOBS if dead_letter.failure is not None and job == dead_letter.failure.job)
    try:
        record = dead_letter.record(files)
    except (InvalidEvent, RefusedByService) as error:
        return Replay(dead_letter, "cannot be replayed", str(error))
    # A new id each time: a result of the first replay must not be taken for that of the second.
    task_id = derived_id("replay", _key(dead_letter.message), time.time_ns())
    sender.send(job, [record.next(bulk=True)], task_id=task_id)
    replayed.mark(dead_letter)
    return Replay(dead_letter, "replayed", f"task {task_id}")


def _groups(dead_letters: Iterable[StoredDeadLetter]) -> Iterator[list[StoredDeadLetter]]:
    remaining = iter(dead_letters)
    while group := list(islice(remaining, _AT_ONCE)):
        yield group


def _key(message: FailedMessage) -> str:
    # With the time: a topic that was made anew has the same offsets for other messages.
    return f"lern:replayed:{message.topic}:{message.partition}:{message.offset}:{message.timestamp}"
