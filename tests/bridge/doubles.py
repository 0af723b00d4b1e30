"""What stands for the broker and the failed topic in tests, and records to send."""

import threading
from collections.abc import Callable, Iterable

from bridge.packing import PolledRecord, TaskMessage
from bridge.routes import Route
from lern_tasks.delivery.record import Record
from lern_tasks.errors import DependencyDown, LernError

ROUTE = Route(
    job="activity_aggregate_updater",
    topic="t.coursebatch.job.request",
    task="lern.activity_aggregate_updater",
    queue="activity-aggregate-updater",
    group="t-activity-aggregate-group",
    failed_topic="t.activity.agg.failed",
    records=100,
    time_limit=120,
)


class RecordingBroker:
    """Takes messages and remembers them in order; fails as told."""

    def __init__(self) -> None:
        self.taken: list[TaskMessage] = []
        self.refuse: Callable[[TaskMessage], LernError | None] = lambda _message: None
        self.away = threading.Event()
        self.waiting = 0
        self.looks = 0
        self.closed = False

    def send(self, message: TaskMessage) -> None:
        if self.away.is_set():
            raise DependencyDown("broker", "away")
        error = self.refuse(message)
        if error is not None:
            raise error
        self.taken.append(message)

    def depth(self) -> int:
        self.looks += 1
        if self.away.is_set():
            raise DependencyDown("broker", "away")
        return self.waiting

    def check_writable(self) -> None:
        self.looks += 1
        if self.away.is_set():
            raise DependencyDown("broker", "away")

    def close(self) -> None:
        self.closed = True

    @property
    def values(self) -> list[str | None]:
        """The values of all records taken, in order."""
        return [polled.record.value for message in list(self.taken) for polled in message.polled]

    @property
    def places(self) -> list[tuple[int, int]]:
        """Partition and offset of all records taken, in order."""
        return [(polled.partition, polled.offset) for message in list(self.taken) for polled in message.polled]


class RecordingDeadLetters:
    """Takes dead records; fails as often as told before."""

    def __init__(self, failures: int = 0) -> None:
        self.taken: list[tuple[Record, LernError]] = []
        self.failures = failures

    def publish(self, record: Record, error: LernError) -> None:
        if self.failures:
            self.failures -= 1
            raise DependencyDown("kafka", "not confirmed")
        self.taken.append((record, error))

    def close(self) -> None:
        """Nothing is open."""


def polled(offset: int, *, partition: int = 0, value: bytes | None = b"{}", key: bytes | None = None) -> PolledRecord:
    """A record of `ROUTE` as a poll gives it."""
    record = Record.from_kafka(
        value=value, topic=ROUTE.topic, partition=partition, offset=offset, key=key, timestamp=1_700_000_000_000
    )
    return PolledRecord(partition=partition, offset=offset, size=len(value or b""), record=record)


def message(*records: PolledRecord, route: Route = ROUTE) -> TaskMessage:
    return TaskMessage(route, records)


def sorted_per_partition(places: Iterable[tuple[int, int]]) -> bool:
    """Whether the offsets of each partition never fall."""
    last: dict[int, int] = {}
    for partition, offset in places:
        if offset < last.get(partition, -1):
            return False
        last[partition] = offset
    return True
