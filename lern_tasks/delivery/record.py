"""The record: an event with its coordinates, as bridge and tasks pass it on. See docs/architecture.md, "Messages"."""

import base64
import hashlib
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates:
    """Where a record was read: topic, partition and offset; the latter two are null for what a task handed off."""

    topic: str
    partition: int | None = None
    offset: int | None = None

    @property
    def text(self) -> str:
        """The place as `topic:partition:offset`, to be copied in one piece; without what is null."""
        parts = (self.topic, self.partition, self.offset)
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """What a record, or the page of a resumable task, has spent of its retries: nothing before its first failure.

    `attempt` counts tries that failed, `not_yet` waits for data that is to come; `first_failed_ms` is epoch ms.
    """

    attempt: int = 0
    not_yet: int = 0
    first_failed_ms: int | None = None

    def after(self, consumes: Literal["attempt", "not_yet"] | None, *, now_ms: int) -> Self:
        """What is spent after one more failure, at `now_ms` (epoch ms), which consumes one of the counts or none."""
        return replace(
            self,
            attempt=self.attempt + (consumes == "attempt"),
            not_yet=self.not_yet + (consumes == "not_yet"),
            first_failed_ms=self.first_failed_ms or now_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One event.

    `value` is the event as it came: text, base64 where it was not UTF-8, None for a tombstone. `key` likewise.
    `timestamp` is Kafka's, epoch ms. `origin` is where the first event of the chain was read. `attempt`, `not_yet` and
    `first_failed_ms` are its `attempts`, members of their own on the wire; `not_before_ms` is epoch ms.
    `bulk`: a part of mass work, so that neither it nor what follows from it goes before live learners.
    `failed_call_ms` is when the operation `failed_call` last failed for it, by Redis' clock; `waits_for` is out.
    """

    value: str | None
    topic: str
    encoding: Literal["utf-8", "base64"] = "utf-8"
    partition: int | None = None
    offset: int | None = None
    key: str | None = None
    key_encoding: Literal["utf-8", "base64"] = "utf-8"
    timestamp: int | None = None
    origin: Coordinates | None = None
    attempt: int = 0
    not_yet: int = 0
    first_failed_ms: int | None = None
    not_before_ms: int | None = None
    delivered_before: bool = False
    bulk: bool = False
    failed_call: str | None = None
    failed_call_ms: int | None = None
    waits_for: str | None = None

    @property
    def text(self) -> str | None:
        """The value as text for parsing; None when it is absent or not UTF-8."""
        return self.value if self.encoding == "utf-8" else None

    @property
    def coordinates(self) -> Coordinates:
        """Where this record was read."""
        return Coordinates(topic=self.topic, partition=self.partition, offset=self.offset)

    @property
    def first_origin(self) -> Coordinates:
        """Where the chain that this record belongs to began."""
        return self.origin or self.coordinates

    @property
    def attempts(self) -> Attempts:
        """What the record has spent of its retries."""
        return Attempts(attempt=self.attempt, not_yet=self.not_yet, first_failed_ms=self.first_failed_ms)

    @property
    def identity(self) -> str:
        """What tells this record from all others, the same whenever it comes again; quotes nothing of it."""
        place = f"{self.first_origin}:{self.value}"
        return hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def raw(self) -> bytes | None:
        """The value's bytes, exactly as they were read."""
        return decode(self.value, self.encoding)

    def raw_key(self) -> bytes | None:
        """The key's bytes, exactly as they were read."""
        return decode(self.key, self.key_encoding)

    def next(self, **changes: Any) -> Self:
        """The same record with other retry figures."""
        return replace(self, **changes)

    def to_wire(self) -> dict[str, Any]:
        """The record as JSON types, without what has its default."""
        wire = {name: value for name in _NAMES if (value := getattr(self, name)) != _DEFAULTS.get(name, ...)}
        if self.origin is not None:
            wire["origin"] = asdict(self.origin)
        return wire

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Self:
        """The record that `to_wire` wrote; unknown members of a newer version are ignored.

        Raises TypeError when value or topic are missing.
        """
        known = {name: wire[name] for name in _NAMES if name in wire}
        if known.get("origin") is not None:
            known["origin"] = Coordinates(**known["origin"])
        return cls(**known)

    @classmethod
    def from_kafka(
        cls, *, value: bytes | None, topic: str, partition: int, offset: int, key: bytes | None, timestamp: int | None
    ) -> Self:
        """The record of one Kafka message."""
        text, encoding = encode(value)
        key_text, key_encoding = encode(key)
        return cls(
            value=text,
            encoding=encoding,
            topic=topic,
            partition=partition,
            offset=offset,
            key=key_text,
            key_encoding=key_encoding,
            timestamp=timestamp,
        )


def encode(data: bytes | None) -> tuple[str | None, Literal["utf-8", "base64"]]:
    """Bytes as text, base64 where they are not UTF-8."""
    if data is None:
        return None, "utf-8"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(data).decode("ascii"), "base64"


def decode(text: str | None, encoding: Literal["utf-8", "base64"]) -> bytes | None:
    """The bytes that `encode` was given."""
    if text is None:
        return None
    return base64.b64decode(text) if encoding == "base64" else text.encode("utf-8", "surrogatepass")


_NAMES = tuple(field.name for field in fields(Record))
_DEFAULTS = {field.name: field.default for field in fields(Record) if field.name not in {"value", "topic"}}
