"""What was counted already: the documented dedup markers, and the counts intended before them.

Both lie in the dedup database, so that one MULTI sets a marker and removes its pending counts. See
docs/jobs/activity_aggregate_updater.md, "Rules", and docs/architecture.md, "Order of effects".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from lern_tasks.connections.redis import Client, translated
from lern_tasks.delivery.record import Record
from lern_tasks.jobs.progress.rules.content_counts import COMPLETED, Counts, PendingCounts, dedup_checksum
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_PENDING = "lern:pending:"

_READ_AGAIN = "lern:read-again"
"""A hash: `topic:partition` to the offset below which records were dispatched before `lern rewind`."""

_READ_AGAIN_KEPT = 30 * 24 * 3600
"""Seconds: as long as topics keep what can be read again. A topic that was made anew begins at 0, so not for ever."""


def marker(key: EnrolmentKey, content: str) -> str:
    """The checksum under which it is marked that a content was counted."""
    return dedup_checksum(key.course_id, key.batch_id, key.user_id, content, COMPLETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Checksums with a marker, pending counts of others, below which offset a partition's records are read again."""

    marked: frozenset[str] = frozenset()
    pending: Mapping[str, PendingCounts] = field(default_factory=dict)
    below: Mapping[str, int] = field(default_factory=dict)

    def is_read_again(self, record: Record) -> bool:
        """Whether `lern rewind` brought the record, which may have been counted before the markers were lost."""
        return record.offset is not None and record.offset < self.below.get(f"{record.topic}:{record.partition}", 0)


class DedupMarkers:
    """Markers and pending counts, both by checksum (`marker`)."""

    def __init__(self, client: Client, *, expiry: int, pending_ttl: int) -> None:
        self._client = client
        self._expiry = expiry
        # Never longer than the marker: a pending count that outlived it would hide a completion to be counted again.
        self._pending_ttl = min(pending_ttl, expiry)

    def read(self, checksums: Iterable[str]) -> "Seen":
        """What is known of these checksums, and what is read again; one round trip. Raises DependencyDown."""
        unique = list(dict.fromkeys(checksums))
        if not unique:
            return Seen()
        pipe = self._client.pipeline(transaction=False)
        for checksum in unique:
            pipe.exists(checksum)
        pipe.mget([_PENDING + checksum for checksum in unique])
        pipe.hgetall(_READ_AGAIN)
        with translated():
            *markers, pending, read_again = pipe.execute()
        marked = frozenset(checksum for checksum, found in zip(unique, markers, strict=True) if found)
        return Seen(
            marked=marked,
            pending={c: _load(text) for c, text in zip(unique, pending, strict=True) if text and c not in marked},
            below={place: int(offset) for place, offset in read_again.items()},
        )

    def read_again_below(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Remember up to which offset the records of partitions were dispatched before. Raises DependencyDown."""
        with translated():
            known = self._client.hgetall(_READ_AGAIN)
            for (topic, partition), offset in offsets.items():
                place = f"{topic}:{partition}"
                # Rewound once more before all was read again: what lies behind was dispatched all the same.
                self._client.hset(_READ_AGAIN, place, max(offset, int(known.get(place, 0))))
            self._client.expire(_READ_AGAIN, _READ_AGAIN_KEPT)

    def write_ahead(self, pending: Mapping[str, PendingCounts]) -> None:
        """Store what is about to be written, before the rows. Raises DependencyDown."""
        if not pending:
            return
        pipe = self._client.pipeline(transaction=False)
        for checksum, counts in pending.items():
            pipe.set(_PENDING + checksum, _dump(counts), ex=self._pending_ttl)
        with translated():
            pipe.execute()

    def mark(self, checksums: Iterable[str]) -> None:
        """Mark as seen, last of all effects, and forget the pending counts. Raises DependencyDown."""
        unique = list(dict.fromkeys(checksums))
        if not unique:
            return
        pipe = self._client.pipeline(transaction=True)
        for checksum in unique:
            pipe.set(checksum, "", ex=self._expiry)
            pipe.delete(_PENDING + checksum)
        with translated():
            pipe.execute()


def _dump(pending: PendingCounts) -> str:
    figures = (pending.base.view, pending.base.completed, pending.intended.view, pending.intended.completed)
    return msgspec.json.encode(figures).decode()


def _load(text: str) -> PendingCounts:
    view, completed, intended_view, intended_completed = msgspec.json.decode(text, type=tuple[int, int, int, int])
    return PendingCounts(
        base=Counts(view=view, completed=completed),
        intended=Counts(view=intended_view, completed=intended_completed),
    )
