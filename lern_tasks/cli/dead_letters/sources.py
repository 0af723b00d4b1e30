"""Where dead letters are read: the failed topics, or a file that `lern demo --keep` wrote. See docs/operations.md."""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from lern_tasks.cli import kafka_admin
from lern_tasks.cli.dead_letters.stored import FailedMessage, StoredDeadLetter
from lern_tasks.errors import DependencyDown, RefusedByService
from lern_tasks.settings import Settings

FILE_NAME = "dead-letters.jsonl"

_GROUP = "lern-dead-letters"
"""Needed by the library; this group never commits, so nobody's offsets move."""

_AT_ONCE = 500
_SILENCE = 15.0
"""Seconds without an answer after which Kafka counts as away: its own fetches take half a second."""

_POLL = 0.5
"""Seconds that one fetch waits, so that Ctrl-C is seen."""

_END = KafkaError._PARTITION_EOF  # noqa: SLF001 (the library's own names of its local errors)


def from_topics(settings: Settings, topics: Sequence[str]) -> Iterator[StoredDeadLetter]:
    """The dead letters that the topics hold now, oldest first in each partition. Raises DependencyDown("kafka").

    What arrives while they are read is left out, so that the end is always reached.
    """
    present = kafka_admin.topics(settings)
    partitions = [
        TopicPartition(name, p) for name in topics if name in present for p in range(present[name].partitions)
    ]
    consumer = kafka_admin.reader(settings, _GROUP)
    try:
        yield from (StoredDeadLetter(message) for message in _read(consumer, partitions))
    except KafkaException as error:
        raise kafka_admin.down(settings, error) from error
    finally:
        consumer.close()


def one_from_topic(settings: Settings, topic: str, partition: int, offset: int) -> StoredDeadLetter:
    """The dead letter at one offset. Raises RefusedByService when there is none, DependencyDown("kafka")."""
    found = kafka_admin.topics(settings).get(topic)
    if found is None or not 0 <= partition < found.partitions:
        raise RefusedByService(f"there is no partition {partition} of a topic {topic}")
    consumer = kafka_admin.reader(settings, _GROUP)
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=kafka_admin.TIMEOUT)
        if not low <= offset < high:
            raise RefusedByService(f"{topic} {partition} has the offsets {low} to {high - 1}, so no {offset}")
        for message in _read_range(consumer, {(topic, partition): (offset, offset + 1)}):
            return StoredDeadLetter(message)
    except KafkaException as error:
        raise kafka_admin.down(settings, error) from error
    finally:
        consumer.close()
    raise RefusedByService(f"{topic} {partition} holds no message at {offset}")


def from_directory(directory: Path) -> list[StoredDeadLetter]:
    """The dead letters of a file that `save` wrote. Raises RefusedByService when there is none or it cannot be read."""
    path = directory / FILE_NAME
    try:
        lines = path.read_bytes().splitlines()
        return [StoredDeadLetter(msgspec.json.decode(line, type=FailedMessage)) for line in lines if line]
    except OSError as error:
        raise RefusedByService(f"cannot read {path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise RefusedByService(f"{path} is not a file of dead letters: {error}") from error


def save(directory: Path, dead_letters: Iterable[StoredDeadLetter]) -> Path:
    """Write dead letters to a file that `from_directory` reads; its path."""
    path = directory / FILE_NAME
    path.write_bytes(b"".join(msgspec.json.encode(dead_letter.message) + b"\n" for dead_letter in dead_letters))
    return path


def _read(consumer: Consumer, partitions: Sequence[TopicPartition]) -> Iterator[FailedMessage]:
    ranges = {}
    for each in partitions:
        low, high = consumer.get_watermark_offsets(each, timeout=kafka_admin.TIMEOUT)
        if low < high:
            ranges[each.topic, each.partition] = (low, high)
    yield from _read_range(consumer, ranges)


def _read_range(consumer: Consumer, ranges: dict[tuple[str, int], tuple[int, int]]) -> Iterator[FailedMessage]:
    """The messages from each partition's first offset to before its last, or to where the partition ends."""
    left = dict(ranges)
    consumer.assign([TopicPartition(topic, partition, low) for (topic, partition), (low, _) in left.items()])
    heard = time.monotonic()
    while left:
        messages = _fetch(consumer)
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > _SILENCE:
            raise DependencyDown("kafka", f"Kafka has sent nothing for {_SILENCE:g} s")
        for message in messages:
            partition = (message.topic(), message.partition())
            ended = message.error() is not None
            if ended and message.error().code() != _END:
                raise KafkaException(message.error())
            if partition not in left:
                continue
            high = left[partition][1]
            if not ended and message.offset() < high:
                yield _stored(message)
            if ended or message.offset() >= high - 1:
                del left[partition]


def _fetch(consumer: Consumer) -> list[Any]:
    """What has arrived; asking for many at once with a timeout would wait for all of them."""
    first = consumer.poll(_POLL)
    return [] if first is None else [first, *consumer.consume(_AT_ONCE, 0)]


def _stored(message: Message) -> FailedMessage:
    kind, timestamp = message.timestamp()
    headers: Any = message.headers() or ()
    return FailedMessage(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp=timestamp if kind else None,
        key=_bytes(message.key()),
        value=_bytes(message.value()),
        headers=tuple((name, _bytes(value)) for name, value in headers),
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
