"""Records to task messages: natural batching. See docs/architecture.md, "Messages".

What one poll returned is dispatched at once: a lone record is a task of its own, and only under backlog are
neighbours packed. There is no timer and no waiting. A value is never parsed here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from bridge.routes import Route
from lern_tasks.delivery.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledRecord:
    """A record and its place; `size` is the length of its value in bytes, 0 for a tombstone."""

    partition: int
    offset: int
    size: int
    record: Record


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """Neighbours of one partition that travel together to one task. Never empty."""

    route: Route
    polled: tuple[PolledRecord, ...]

    @property
    def partition(self) -> int:
        """The partition that all of them come from."""
        return self.polled[0].partition

    @property
    def first(self) -> int:
        """The lowest offset."""
        return self.polled[0].offset

    @property
    def last(self) -> int:
        """The highest offset."""
        return self.polled[-1].offset

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return sum(polled.size for polled in self.polled)

    @property
    def task_id(self) -> str:
        """The same for the same records, so that a message dispatched twice is recognised."""
        return str(uuid5(NAMESPACE_URL, f"lern:{self.route.topic}:{self.partition}:{self.first}:{self.last}"))

    @property
    def argsrepr(self) -> str:
        """What Flower and the logs show of the arguments: no payload, since values may hold personal data."""
        count = len(self.polled)
        records = "1 record" if count == 1 else f"{count} records"
        return f"{self.route.job} {records} p{self.partition} @{self.first}-{self.last}"

    def singles(self) -> list["TaskMessage"]:
        """The same records, each in a message of its own."""
        return [TaskMessage(self.route, (polled,)) for polled in self.polled]


def pack(polled: Iterable[PolledRecord], route: Route, *, max_bytes: int) -> list[TaskMessage]:
    """The messages for what a poll returned, in the order of each partition.

    No message has more than `route.records` records, nor more than `max_bytes` of values unless one value alone is
    larger.
    """
    partitions: dict[int, list[PolledRecord]] = {}
    for one in polled:
        partitions.setdefault(one.partition, []).append(one)
    return [
        TaskMessage(route, group)
        for records in partitions.values()
        for group in _groups(records, limit=route.records, max_bytes=max_bytes)
    ]


def _groups(records: Iterable[PolledRecord], *, limit: int, max_bytes: int) -> Iterator[tuple[PolledRecord, ...]]:
    group: list[PolledRecord] = []
    size = 0
    for one in records:
        if group and (len(group) == limit or size + one.size > max_bytes):
            yield tuple(group)
            group, size = [], 0
        group.append(one)
        size += one.size
    if group:
        yield tuple(group)
