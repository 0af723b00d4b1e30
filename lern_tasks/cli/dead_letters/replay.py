"""Sending dead letters to their task again, once. See docs/operations.md, "When something fails"."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from itertools import islice
from typing import Literal

from lern_tasks.catalogue import JOBS, ROWS, JobName, dashed
from lern_tasks.cli.dead_letters.stored import FailedMessage, StoredDeadLetter
from lern_tasks.connections.redis import Client, translated
from lern_tasks.delivery.handoff import Handoff, hand_off
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.task_sender import derived_id
from lern_tasks.errors import InvalidEvent, RefusedByService

ReplayOutcome = Literal["replayed", "would be replayed", "replayed before", "cannot be replayed"]

_KEPT = 400 * 24 * 3600
"""Seconds that a mark is kept: longer than failed topics are, and not for ever."""

_AT_ONCE = 500
"""Marks read in one round trip."""

_OF_ROWS = (InvalidEvent.code, RefusedByService.code)
"""Codes whose cause may lie in what an event was computed from: then the stored event can only fail again."""


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


def replay(dead_letters: Iterable[StoredDeadLetter], ctx: Resources, *, again: bool, dry_run: bool) -> Iterator[Replay]:
    """Send the record of each dead letter to its task, on the queue for mass work; one result each, in order.

    An event that was computed from rows which may have been mended since is not sent: it is asked for anew. Sent first
    and marked then: a crash between the two sends it twice, which tasks bear, and never loses it. Raises
    DependencyDown when broker, Redis or file store does not answer; what was yielded is done.
    """
    replayed = Replayed(ctx.redis.client("state"))
    for group in _groups(dead_letters):
        for dead_letter, before in zip(group, replayed.when(group), strict=True):
            job = next(
                (job for job in JOBS if dead_letter.failure is not None and job == dead_letter.failure.job), None
            )
            if job is None:
                yield Replay(dead_letter, "cannot be replayed", "no task of these jobs takes it")
            elif before is not None and not again:
                yield Replay(dead_letter, "replayed before", f"at {before}; --again sends it once more")
            elif dry_run:
                yield Replay(dead_letter, "would be replayed")
            else:
                yield _send(dead_letter, job, replayed, ctx)


def _send(dead_letter: StoredDeadLetter, job: JobName, replayed: Replayed, ctx: Resources) -> Replay:
    # A new id each time: a result of the first replay must not be taken for that of the second.
    task_id = derived_id("replay", _key(dead_letter.message), time.time_ns())
    try:
        record = dead_letter.record(ctx.files).next(bulk=True)
        anew = _anew(dead_letter, job, record, task_id, ctx)
    except (InvalidEvent, RefusedByService) as error:
        return Replay(dead_letter, "cannot be replayed", str(error))
    if dead_letter.equal_key:
        ctx.equal_letters.forget(dead_letter.equal_key)
    if anew is not None:
        hand_off(ctx, [anew])
        detail = f"computed anew by {dashed(anew.job)}"
    else:
        ctx.sender.send(job, [record], task_id=task_id)
        detail = f"task {task_id}"
    replayed.mark(dead_letter)
    return Replay(dead_letter, "replayed", detail)


def _anew(
    dead_letter: StoredDeadLetter, job: JobName, record: Record, business_key: str, ctx: Resources
) -> Handoff | None:
    """What asks for the event anew; None when the event itself is to be sent. Raises InvalidEvent when it cannot be."""
    row = ROWS[job]
    if not row.anew or dead_letter.failure is None or dead_letter.failure.code not in _OF_ROWS:
        return None
    made: Handoff = getattr(import_module(f"lern_tasks.jobs.{row.domain}.api"), row.anew)(
        record, ctx, business_key=business_key
    )
    return made


def _groups(dead_letters: Iterable[StoredDeadLetter]) -> Iterator[list[StoredDeadLetter]]:
    remaining = iter(dead_letters)
    while group := list(islice(remaining, _AT_ONCE)):
        yield group


def _key(message: FailedMessage) -> str:
    # With the time: a topic that was made anew has the same offsets for other messages.
    return f"lern:replayed:{message.topic}:{message.partition}:{message.offset}:{message.timestamp}"
