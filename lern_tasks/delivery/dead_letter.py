"""Dead letters: the original value untouched, and headers that say what failed.

See docs/architecture.md, "Dead letters". The headers are in the manner of Kafka Connect's dead-letter queues; all are
UTF-8 text, absent where nothing is known:

| header | content |
|---|---|
| `lern-job`, `lern-code`, `lern-error`, `lern-exception` | job, error code, message, class of the exception |
| `lern-event` | `unreadable`: the job cannot read the event, so that sending it again cannot help |
| `lern-attempts` | runs that failed, the last one included |
| `lern-first-failed`, `lern-last-failed` | ISO 8601, UTC |
| `lern-topic`, `lern-partition`, `lern-offset`, `lern-timestamp` | where it was read; Kafka's time, epoch ms |
| `lern-origin-topic`, `lern-origin-partition`, `lern-origin-offset` | where the first event of the chain was read |
| `lern-task-id`, `lern-trace` | Celery's id of the task; at most 20 lines, the innermost last |
| `lern-value-ref`, `lern-key-ref` | the file that holds a value or key too large for the topic |
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from lern_tasks.connections.files import Files
from lern_tasks.connections.kafka import KafkaOut, OutMessage, TooLarge
from lern_tasks.delivery.failure import Failure, failure_of
from lern_tasks.delivery.record import Coordinates, Record, encode
from lern_tasks.errors import InvalidEvent, LernError

__all__ = ["DeadLetter", "Failure", "failure_of", "from_message", "publish", "to_message"]

VALUE_REF = "lern-value-ref"
KEY_REF = "lern-key-ref"

# The first sentence, when every header counts.
_TRIMMED_ERROR_LENGTH = 200

# A longer key is no identifier; beside a value that was too large it goes into a file too.
_KEY_LENGTH = 4096

Headers = Mapping[str, bytes | str | None] | Iterable[tuple[str, bytes | str | None]]
"""Headers as confluent_kafka's messages have them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that failed for good, why, and the full name of the topic that it goes to."""

    record: Record
    failure: Failure
    topic: str


def to_message(dead_letter: DeadLetter) -> OutMessage:
    """The dead letter as a Kafka message: value and key as they were read, the failure in the headers."""
    record, failure, origin = dead_letter.record, dead_letter.failure, dead_letter.record.first_origin
    headers: dict[str, str | int | None] = {
        "lern-job": failure.job,
        "lern-code": failure.code,
        "lern-error": failure.error,
        "lern-exception": failure.exception,
        "lern-event": "unreadable" if failure.unreadable else None,
        "lern-attempts": failure.attempts,
        "lern-first-failed": _iso(failure.first_failed_ms),
        "lern-last-failed": _iso(failure.last_failed_ms),
        "lern-topic": record.topic,
        "lern-partition": record.partition,
        "lern-offset": record.offset,
        "lern-timestamp": record.timestamp,
        "lern-origin-topic": origin.topic,
        "lern-origin-partition": origin.partition,
        "lern-origin-offset": origin.offset,
        "lern-task-id": failure.task_id,
        "lern-trace": failure.trace or None,
    }
    return OutMessage(
        topic=dead_letter.topic,
        value=record.raw(),
        key=record.raw_key(),
        headers=tuple((name, _encoded(value)) for name, value in headers.items() if value is not None),
    )


def from_message(
    headers: Headers | None,
    value: bytes | None,
    key: bytes | None,
    files: Files | None = None,
) -> tuple[Record, Failure]:
    """The record and its failure from what `publish` stored; the record starts anew, marked as delivered before.

    `files` fetches a value or key that was spilled; without it the reference stands in its place. Raises InvalidEvent
    for a message that is no dead letter of ours, and what `Files.get` raises.
    """
    text = {name: _decoded(content) for name, content in dict(headers or ()).items()}
    try:
        failure = _failure(text)
        coordinates = _coordinates(text, "lern-")
        origin = _coordinates(text, "lern-origin-")
        timestamp = _number(text, "lern-timestamp")
    except (KeyError, ValueError) as error:
        raise InvalidEvent(f"not a dead letter of these jobs: header missing or malformed ({error})") from None
    if files:
        value = files.get(text[VALUE_REF]) if VALUE_REF in text else value
        key = files.get(text[KEY_REF]) if KEY_REF in text else key
    value_text, encoding = encode(value)
    key_text, key_encoding = encode(key)
    return Record(
        value=value_text,
        encoding=encoding,
        topic=coordinates.topic,
        partition=coordinates.partition,
        offset=coordinates.offset,
        key=key_text,
        key_encoding=key_encoding,
        timestamp=timestamp,
        origin=None if origin == coordinates else origin,
        delivered_before=True,
    ), failure


def publish(dead_letters: Sequence[DeadLetter], kafka: KafkaOut, files: Files) -> list[LernError | None]:
    """Publish dead letters in one flush; the answer has the order of `dead_letters`, None for what is confirmed.

    What is too large is sent again with shorter headers, then with value (and a long key) in a file and a reference
    in their place. Otherwise what `KafkaOut.publish` and `Files.put` give as errors.
    """
    messages = [to_message(dead_letter) for dead_letter in dead_letters]
    results = kafka.publish(messages)
    for smaller in (_trimmed, lambda message: _spilled(message, files)):
        large = [index for index, error in enumerate(results) if isinstance(error, TooLarge)]
        shrunk = _shrink(large, messages, results, smaller)
        for index, result in zip(shrunk, kafka.publish([messages[i] for i in shrunk]) if shrunk else [], strict=True):
            results[index] = result
    return results


def _shrink(
    large: Sequence[int],
    messages: list[OutMessage],
    results: list[LernError | None],
    smaller: Callable[[OutMessage], OutMessage],
) -> list[int]:
    shrunk = []
    for index in large:
        try:
            messages[index] = smaller(messages[index])
        except LernError as error:
            results[index] = error
        else:
            shrunk.append(index)
    return shrunk


def _trimmed(message: OutMessage) -> OutMessage:
    headers = tuple(
        (name, content[:_TRIMMED_ERROR_LENGTH] if name == "lern-error" else content)
        for name, content in message.headers
        if name != "lern-trace"
    )
    return replace(message, headers=headers)


def _spilled(message: OutMessage, files: Files) -> OutMessage:
    references: dict[str, str] = {}
    value, key = message.value, message.key
    if value is not None:
        references[VALUE_REF] = files.put(_file_name(message.topic, value), value)
    if key is not None and len(key) > _KEY_LENGTH:
        references[KEY_REF] = files.put(_file_name(message.topic, key), key)
        key = None
    body = json.dumps({**references, "bytes": len(value or b"")}).encode()
    headers = (*message.headers, *((name, _encoded(reference)) for name, reference in references.items()))
    return replace(message, value=None if value is None else body, key=key, headers=headers)


def _file_name(topic: str, content: bytes) -> str:
    # Named by content: a redelivery writes the same file again instead of another one.
    return f"{topic}/{hashlib.sha256(content).hexdigest()}"


def _failure(text: Mapping[str, str]) -> Failure:
    return Failure(
        job=text["lern-job"],
        code=text["lern-code"],
        error=text["lern-error"],
        exception=text["lern-exception"],
        attempts=int(text["lern-attempts"]),
        first_failed_ms=_epoch_ms(text["lern-first-failed"]),
        last_failed_ms=_epoch_ms(text["lern-last-failed"]),
        task_id=text.get("lern-task-id"),
        trace=text.get("lern-trace", ""),
        unreadable=text.get("lern-event") == "unreadable",
    )


def _coordinates(text: Mapping[str, str], prefix: str) -> Coordinates:
    return Coordinates(
        topic=text[f"{prefix}topic"],
        partition=_number(text, f"{prefix}partition"),
        offset=_number(text, f"{prefix}offset"),
    )


def _number(text: Mapping[str, str], name: str) -> int | None:
    return int(text[name]) if name in text else None


def _encoded(value: str | int) -> bytes:
    return str(value).encode("utf-8", "backslashreplace")


def _decoded(content: bytes | str | None) -> str:
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else content or ""


def _iso(epoch_ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=epoch_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _epoch_ms(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)
