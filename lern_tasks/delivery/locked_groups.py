"""The records of a message by what they are about, and each group under its lock: the one place that takes locks.

See docs/architecture.md, "Locks".
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from lern_tasks.catalogue import JobName
from lern_tasks.connections.calls import calling_for
from lern_tasks.delivery.batch import Batch, BatchRecord, fail_each
from lern_tasks.delivery.locks import HeldLocks
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.errors import LernError, LockBusy
from lern_tasks.metrics import count

K = TypeVar("K", bound=Hashable)
E = TypeVar("E")
V = TypeVar("V")


@dataclass(slots=True, eq=False)
class Group(Generic[K, E]):
    """The records of one message that are about the same `key`: they share one read, one decision, one write.

    `token` is the lock's fencing token: the write timestamp, in microseconds, of every row written under it.
    """

    key: K
    records: list[BatchRecord[E]] = field(default_factory=list)
    token: int = 0

    @property
    def open(self) -> list[BatchRecord[E]]:
        """The records without an outcome."""
        return [record for record in self.records if record.outcome is None]

    @property
    def cause(self) -> Record:
        """The record that stands for all in what follows."""
        return self.records[0].record

    @property
    def delivered_before(self) -> bool:
        """An earlier delivery of one of the records may have done a part of the work."""
        return any(record.delivered_before for record in self.records)

    def fail(self, error: LernError) -> None:
        """The records without an outcome failed with `error`."""
        fail_each(self.records, error)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """An error raised inside is the outcome of this group alone; services are asked in its name."""
        try:
            with calling_for(self.cause.identity):
                yield
        except LernError as error:
            self.fail(error)

    def done(self) -> None:
        """All effects of the records without an outcome have happened."""
        for record in self.open:
            record.done()

    def skip(self, reason: str) -> None:
        """Nothing is to be done for the records without an outcome."""
        for record in self.open:
            record.skip(reason)


class HeldGroups(Generic[K, E]):
    """Groups whose locks are held until `release`."""

    def __init__(self, groups: Sequence[Group[K, E]], release: Callable[[], frozenset[K]]) -> None:
        self.groups = groups
        self._release = release

    @property
    def open(self) -> list[Group[K, E]]:
        """The groups that have records without an outcome."""
        return [group for group in self.groups if group.open]

    @property
    def keys(self) -> list[K]:
        """What the groups are about."""
        return [group.key for group in self.groups]

    @property
    def tokens(self) -> dict[K, int]:
        """The fencing token of each key."""
        return {group.key: group.token for group in self.groups}

    @property
    def causes(self) -> dict[K, Record]:
        """The record that stands for all of each key."""
        return {group.key: group.cause for group in self.groups}

    def found(self, answers: Mapping[K, V | LernError]) -> dict[K, V]:
        """What was read, by key; an error in its place is the outcome of its group."""
        self.fail({key: answer for key, answer in answers.items() if isinstance(answer, LernError)})
        return {key: answer for key, answer in answers.items() if not isinstance(answer, LernError)}

    def fail(self, errors: Mapping[K, LernError]) -> None:
        """What could not be done, by key."""
        for group in self.groups:
            if group.key in errors:
                group.fail(errors[group.key])

    def release(self) -> list[Group[K, E]]:
        """Give the locks back; the groups that are still open, and were held until now.

        Where a lock was lost meanwhile what was written under it was late, so its records come again. Raises
        DependencyDown.
        """
        lost = self._release()
        for group in self.groups:
            if group.key in lost:
                group.fail(LockBusy("the lock was lost before the rows were written"))
        return self.open


def grouped(batch: Batch[E], by: Callable[[E], K]) -> dict[K, Group[K, E]]:
    """The records without an outcome, by what they are about."""
    groups: dict[K, Group[K, E]] = {}
    for record in batch.open:
        key = by(record.event)
        groups.setdefault(key, Group(key)).records.append(record)
    return groups


def locked_groups(
    groups: Iterable[Group[K, E]], ctx: Resources, *, job: JobName, lock: Callable[[K], str], about: str
) -> Iterator[HeldGroups[K, E]]:
    """The groups under their locks: what is free now together, then the rest as it becomes free.

    `lock` names the lock of a key: several keys may share one. Nobody waits while holding. Records of a group whose
    lock stays busy fail with LockBusy; `about` says in a word what they are about. Raises DependencyDown.
    """
    waiting: defaultdict[str, list[Group[K, E]]] = defaultdict(list)
    for group in groups:
        waiting[lock(group.key)].append(group)
    for locks in ctx.locks.acquire_in_batches(waiting, wait=ctx.settings.tasks.lock_wait):
        held = {name: waiting.pop(name) for name in locks.tokens}
        for name, groups_of_lock in held.items():
            for group in groups_of_lock:
                group.token = locks.tokens[name]
        yield HeldGroups([group for some in held.values() for group in some], partial(_release, locks, held, job))
    for group in (group for some in waiting.values() for group in some):
        group.fail(LockBusy(f"another worker is busy with this {about}"))


def _release(locks: HeldLocks, held: Mapping[str, Sequence[Group[K, E]]], job: JobName) -> frozenset[K]:
    lost = frozenset(group.key for name in locks.release() for group in held[name])
    count("lock-lost", len(lost), job=job)
    return lost


@contextmanager
def all_locked(names: Sequence[str], ctx: Resources, *, job: JobName, busy: str) -> Iterator[int]:
    """All of the named locks, or none; gives their common fencing token.

    Raises LockBusy: with the words `busy` when one of them stays busy, or at the end when one was lost meanwhile, so
    that what was written was late. Raises DependencyDown.
    """
    locks = ctx.locks.acquire_all(names, wait=ctx.settings.tasks.lock_wait)
    if locks is None:
        raise LockBusy(busy)
    try:
        yield locks.tokens[names[0]]
    finally:
        lost = locks.release()
    if lost:
        count("lock-lost", len(lost), job=job)
        raise LockBusy("the lock was lost before all rows were written")
