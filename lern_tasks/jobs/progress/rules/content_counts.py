"""Merging completed contents into what is stored of them. See docs/jobs/activity_aggregate_updater.md, "Rules".

Counters grow by one for each content, status and week, whatever the number of deliveries: before the rows are written
the caller stores `MergedContent.pending` beside the dedup marker, and passes it back when the event is delivered again.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import md5

from lern_tasks.sunbird.audit_event import Action

STARTED = 1
COMPLETED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContent:
    """The columns of a `user_content_consumption` row that count; None where the column is empty."""

    status: int | None
    view_count: int | None
    completed_count: int | None

    @property
    def counts(self) -> "Counts":
        """The stored counters; an empty column counts as 0."""
        return Counts(view=self.view_count or 0, completed=self.completed_count or 0)

    @property
    def effective_status(self) -> int:
        """The stored status, but completed where the content was ever counted as such; started where it is empty.

        The counters are written here when the event comes, the status by the learner service at its own time: in
        between, or when its write was lost, a completed content must not fall back to what is stored.
        """
        status = STARTED if self.status is None else self.status
        return COMPLETED if status < COMPLETED and self.counts.completed > 0 else status


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How often a content was viewed and completed."""

    view: int
    completed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCounts:
    """The counters before an event was counted and as they shall be after it, both absolute."""

    base: Counts
    intended: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedContent:
    """A content after the merge.

    `counts` is what the row shall hold, and is to be written only where `counts_changed`. `actions` are the audit
    events that are due. `pending` is set for each content that was counted: to be stored before the rows are written.
    """

    content_id: str
    status: int
    counts: Counts
    counts_changed: bool
    actions: tuple[Action, ...]
    pending: PendingCounts | None


def still_to_count(
    fresh: AbstractSet[str],
    read_again: AbstractSet[str],
    stored: Mapping[str, StoredContent],
    pending: Mapping[str, PendingCounts],
) -> frozenset[str]:
    """Of the contents to count, all but those `read_again` that the rows show as counted: their markers are gone.

    Counts that were noted down, and perhaps not written, are written as for any other event.
    """
    counted = {c for c in read_again if c in stored and stored[c].counts.completed > 0 and c not in pending}
    return frozenset(fresh - counted)


def merge_consumption(
    stored: Mapping[str, StoredContent],
    seen: Mapping[str, int],
    fresh: AbstractSet[str],
    pending: Mapping[str, PendingCounts],
) -> Mapping[str, MergedContent]:
    """Merge the statuses of this enrolment's events (`seen`, by content id) into its `stored` contents.

    Only contents in `fresh` (their dedup marker is absent) are counted; `pending` holds what an earlier delivery meant
    to write for them. The result has every content of both sides, stored ones first.
    """
    merged = {
        content_id: _merge_one(content_id, row, seen.get(content_id), content_id in fresh, pending.get(content_id))
        for content_id, row in stored.items()
    }
    for content_id, status in seen.items():
        if content_id not in merged:
            merged[content_id] = _merge_one(content_id, None, status, content_id in fresh, pending.get(content_id))
    return merged


def _merge_one(
    content_id: str, row: StoredContent | None, seen: int | None, fresh: bool, before: PendingCounts | None
) -> MergedContent:
    current = row.counts if row else Counts(view=0, completed=0)
    status = _merged_status(row.effective_status if row else 0, seen)
    if seen is None or not fresh:
        return MergedContent(
            content_id=content_id, status=status, counts=current, counts_changed=False, actions=(), pending=None
        )
    due = before or PendingCounts(base=current, intended=_counted(current, seen))
    counts = Counts(view=max(current.view, due.intended.view), completed=max(current.completed, due.intended.completed))
    return MergedContent(
        content_id=content_id,
        status=status,
        counts=counts,
        counts_changed=counts != current,
        actions=_actions(due),
        pending=due,
    )


def _merged_status(stored: int, seen: int | None) -> int:
    """The greater of both, except that a completion seen is a completion.

    The learner service stores 2 for whatever is above it as soon as the content comes again; this event is that moment.
    """
    if seen is None:
        return stored
    return COMPLETED if seen == COMPLETED else max(stored, seen)


def _counted(base: Counts, status: int) -> Counts:
    return Counts(view=base.view + 1, completed=base.completed + (1 if status == COMPLETED else 0))


def _actions(due: PendingCounts) -> tuple[Action, ...]:
    """The audit events, from the counters before the event, so that a redelivery decides the same."""
    actions: list[Action] = []
    if due.base.view == 0:
        actions.append("start")
    if due.base.completed == 0 and due.intended.completed > 0:
        actions.append("complete")
    return tuple(actions)


def dedup_checksum(course_id: str, batch_id: str, user_id: str, content_id: str, status: int) -> str:
    """The documented deduplication key: MD5, upper-case hexadecimal, of the five values joined by `|`."""
    text = "|".join((course_id, batch_id, user_id, content_id, str(status)))
    # The key is shared with the Flink job, so the digest cannot change; it protects nothing.
    return md5(text.encode(), usedforsecurity=False).hexdigest().upper()
