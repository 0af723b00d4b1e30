"""Reads one topic and hands its records over. See docs/architecture.md, "Bridge".

An offset is stored only after the broker, or the failed topic, has the record: what a crash interrupts is dispatched
again. While back-pressure is on the partitions are paused and polling goes on, so that the group keeps its members.
"""

import threading
from collections import deque
from collections.abc import Iterable
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from bridge.back_pressure import BackPressure
from bridge.kafka_errors import NOT_OURS, NOTHING_TO_COMMIT, KafkaErrors
from bridge.packing import PolledRecord, TaskMessage, pack
from bridge.publisher import Unsendable
from bridge.routes import Route
from lern_tasks.delivery.record import Record
from lern_tasks.errors import LernError
from lern_tasks.logs import logger
from lern_tasks.metrics import count

_log = logger(__name__)

_POLL = 0.2
"""Seconds that a poll waits for a first record: how late a stop, or the end of a pause, is noticed. What has arrived
with the first is taken without waiting; asking for many at once with a timeout would wait for all of them."""


class TaskPublisher(Protocol):
    """What takes messages."""

    def send(self, message: TaskMessage) -> None:
        """Return when the broker has `message`. Raises Unsendable, or another LernError to be tried again."""

    def close(self) -> None:
        """Close connections."""


class DeadLetterPublisher(Protocol):
    """What takes records that cannot be dispatched."""

    def publish(self, record: Record, error: LernError) -> None:
        """Return when the failed topic has `record`. Raises LernError to be tried again."""

    def close(self) -> None:
        """Close connections."""


class RouteConsumer:
    """The consumer of one route; everything but `__init__` runs in one thread."""

    def __init__(
        self,
        route: Route,
        *,
        kafka: dict[str, Any],
        broker: TaskPublisher,
        dead_letters: DeadLetterPublisher,
        back_pressure: BackPressure,
        stop: threading.Event,
        at_once: int,
        max_bytes: int,
    ) -> None:
        self._route = route
        self._broker, self._dead_letters, self._back_pressure, self._stop = broker, dead_letters, back_pressure, stop
        self._at_once, self._max_bytes = at_once, max_bytes
        self._errors = KafkaErrors(route, brokers=str(kafka.get("bootstrap.servers", "")))
        self._held = False
        self._paused = False
        self.assigned = threading.Event()
        """Set once the group has said which partitions are this consumer's: from then on it reads."""
        self._consumer = Consumer({**kafka, "group.id": route.group, "error_cb": self._errors.report})

    def run(self) -> None:
        """Consume until told to stop; then commit and leave the group.

        Raises KafkaException for an error that this consumer cannot survive.
        """
        self._consumer.subscribe(
            [self._route.topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        try:
            while not self._stop.is_set():
                self._poll_once()
        finally:
            self._commit()
            self._consumer.close()
            self._broker.close()
            self._dead_letters.close()

    def _poll_once(self) -> None:
        if self._back_pressure.is_open():
            self._resume()
            self._dispatch(self._poll(self._at_once))
        else:
            self._pause()
            # Nothing comes from paused partitions, but a partition assigned within this poll is not paused yet.
            early = self._poll(1)
            if early:
                self._pause()
                self._rewind(_first_offsets(early))

    def _poll(self, limit: int) -> list[PolledRecord]:
        first = self._consumer.poll(_POLL)
        if first is None:
            return []
        more = self._consumer.consume(limit - 1, 0) if limit > 1 else []
        return list(self._without_errors([first, *more]))

    def _without_errors(self, messages: Iterable[Message]) -> Iterable[PolledRecord]:
        for message in messages:
            error = message.error()
            if error is None:
                yield _polled(message)
                continue
            self._errors.report(error)
            if error.fatal():
                raise KafkaException(error)

    def _dispatch(self, polled: list[PolledRecord]) -> None:
        positions = _first_offsets(polled)
        todo = deque(pack(polled, self._route, max_bytes=self._max_bytes))
        try:
            while todo:
                message = todo.popleft()
                try:
                    self._broker.send(message)
                except Unsendable as error:
                    if len(message.polled) > 1:
                        todo.extendleft(reversed(message.singles()))
                        continue
                    self._dead_letters.publish(message.polled[0].record, error)
                else:
                    self._count(message)
                positions[message.partition] = message.last + 1
                self._store(message)
        except LernError as error:
            self._back_pressure.close(error)
            self._pause()
            self._rewind(positions)

    def _count(self, message: TaskMessage) -> None:
        count("bridge-messages", job=self._route.job)
        count("bridge-records", len(message.polled), job=self._route.job)
        _log.debug("handed_over", job=self._route.job, task_id=message.task_id, what=message.argsrepr)

    def _store(self, message: TaskMessage) -> None:
        done = TopicPartition(self._route.topic, message.partition, message.last + 1)
        try:
            self._consumer.store_offsets(offsets=[done])
        except KafkaException as error:
            # The partition went to another member after the poll, which will hand the same records over again.
            if error.args[0].code() != NOT_OURS:
                raise

    def _rewind(self, positions: dict[int, int]) -> None:
        """Go back to the first offset of each partition that was not dispatched."""
        for partition, offset in positions.items():
            place = TopicPartition(self._route.topic, partition, offset)
            try:
                self._consumer.seek(place)
            except KafkaException:
                # Without the seek the next poll would go on behind the records. Somebody else's partition is no harm.
                if any(one.partition == partition for one in self._consumer.assignment()):
                    raise

    def _pause(self) -> None:
        if not self._held:
            self._held = True
            count("bridge-paused", job=self._route.job)
            _log.warning("paused", job=self._route.job, queue=self._route.queue, reason=self._back_pressure.reason)
        if not self._paused:
            self._consumer.pause(self._consumer.assignment())
            self._paused = True

    def _resume(self) -> None:
        if self._held:
            self._held = self._paused = False
            self._consumer.resume(self._consumer.assignment())
            _log.info("resumed", job=self._route.job, queue=self._route.queue)

    def _on_assign(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # New partitions are not paused, whatever the old ones were.
        self._paused = False
        self.assigned.set()
        _log.info("partitions_assigned", job=self._route.job, partitions=_numbers(partitions))

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._commit()
        _log.info("partitions_revoked", job=self._route.job, partitions=_numbers(partitions))

    def _on_lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # They have another owner already: a commit now could only be refused.
        _log.warning("partitions_lost", job=self._route.job, partitions=_numbers(partitions))

    def _commit(self) -> None:
        try:
            self._consumer.commit(asynchronous=False)
        except KafkaException as error:
            if error.args[0].code() != NOTHING_TO_COMMIT:
                _log.warning("commit_failed", job=self._route.job, error=error.args[0].name())


def _polled(message: Message) -> PolledRecord:
    topic, partition, offset, value = message.topic(), message.partition(), message.offset(), message.value()
    # A message without an error has its coordinates; only the library's types leave it open.
    assert topic is not None and partition is not None and offset is not None  # noqa: S101, PT018
    _, timestamp = message.timestamp()
    record = Record.from_kafka(
        value=value,
        topic=topic,
        partition=partition,
        offset=offset,
        key=message.key(),
        timestamp=timestamp if timestamp >= 0 else None,
    )
    return PolledRecord(partition=partition, offset=offset, size=len(value or b""), record=record)


def _first_offsets(polled: Iterable[PolledRecord]) -> dict[int, int]:
    first: dict[int, int] = {}
    for one in polled:
        first.setdefault(one.partition, one.offset)
    return first


def _numbers(partitions: Iterable[TopicPartition]) -> list[int]:
    return sorted(one.partition for one in partitions)
