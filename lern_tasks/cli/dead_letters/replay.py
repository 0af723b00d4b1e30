"""Sending dead letters to their task again, once. See docs/operations.md, "When something fails"."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from lern_tasks import catalogue
from lern_tasks.cli.dead_letters.stored import DeadLetter, StoredLetter
from lern_tasks.connections.files import Files
from lern_tasks.connections.redis import Client, translated
from lern_tasks.delivery.task_sender import Sender, derived_id
from lern_tasks.errors import InvalidEvent, RefusedByService

Outcome = Literal["replayed", "would be replayed", "replayed before", "cannot be replayed"]

_KEPT = 400 * 24 * 3600
"""Seconds that a mark is kept: longer than failed topics are, and not for ever."""

_AT_ONCE = 500
"""Marks read in one round trip."""


class Replayed:
    """Which letters were replayed, and when: one key a letter in the state Redis."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def when(self, letters: Sequence[DeadLetter]) -> list[str | None]:
        """When each letter was replayed last, ISO 8601; None for never. Raises DependencyDown."""
        if not letters:
            return []
        with translated():
            found = self._client.mget([_key(letter.stored) for letter in letters])
        return [None if when is None else str(when) for when in found]

    def mark(self, letter: DeadLetter) -> None:
        """Remember that the letter was replayed now. Raises DependencyDown."""
        with translated():
            self._client.set(_key(letter.stored), datetime.now(UTC).isoformat(timespec="seconds"), ex=_KEPT)


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of one letter."""

    letter: DeadLetter
    outcome: Outcome
    detail: str = ""


def replay(
    letters: Iterable[DeadLetter], sender: Sender, replayed: Replayed, files: Files, *, again: bool, dry_run: bool
) -> Iterator[Replay]:
    """Send each letter's record to its task, on the queue for mass work; one result a letter, in order.

    Sent first and marked then: a crash between the two sends it twice, which tasks bear, and never loses it. Raises
    DependencyDown when broker, Redis or file store does not answer; what was yielded is done.
    """
    for group in _groups(letters):
        for letter, before in zip(group, replayed.when(group), strict=True):
            if letter.failure is None or letter.failure.job not in catalogue.JOBS:
                yield Replay(letter, "cannot be replayed", "no task of these jobs takes it")
            elif before is not None and not again:
                yield Replay(letter, "replayed before", f"at {before}; --again sends it once more")
            elif dry_run:
                yield Replay(letter, "would be replayed")
            else:
                yield _send(letter, sender, replayed, files)


def _send(letter: DeadLetter, sender: Sender, replayed: Replayed, files: Files) -> Replay:
    job = next(job for job in catalogue.JOBS if letter.failure is not None and job == letter.failure.job)
    try:
        record = letter.record(files)
    except (InvalidEvent, RefusedByService) as error:
        return Replay(letter, "cannot be replayed", str(error))
    # A new id each time: a result of the first replay must not be taken for that of the second.
    task_id = derived_id("replay", _key(letter.stored), time.time_ns())
    sender.send(job, [record.next(bulk=True)], task_id=task_id)
    replayed.mark(letter)
    return Replay(letter, "replayed", f"task {task_id}")


def _groups(letters: Iterable[DeadLetter]) -> Iterator[list[DeadLetter]]:
    group: list[DeadLetter] = []
    for letter in letters:
        group.append(letter)
        if len(group) == _AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _key(stored: StoredLetter) -> str:
    # With the time: a topic that was made anew has the same offsets for other letters.
    return f"lern:replayed:{stored.topic}:{stored.partition}:{stored.offset}:{stored.timestamp}"
