"""One enrolment and everything around it, in memory: deliveries are processed effect by effect and may die between two.

The order of effects is the one of docs/architecture.md, "Order of effects": pending counts, rows, hand-on and audits,
markers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from lern_tasks.jobs.progress.rules.content_counts import MergedContent, PendingCounts, StoredContent, merge_consumption
from lern_tasks.jobs.progress.rules.enrolment_row import (
    EnrolmentUpdate,
    StoredEnrolment,
    decide_enrolment,
    needs_certificate,
)
from lern_tasks.jobs.progress.rules.progress import compute_progress
from lern_tasks.sunbird.audit_event import content_audit, enrolment_audit
from lern_tasks.sunbird.course_relations import CourseRelations
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

KEY = EnrolmentKey(user_id="u1", course_id="do_c1", batch_id="b1")
START = datetime(2024, 3, 1, tzinfo=UTC)

Contents = frozenset[str]
Effect = Callable[[], None]


@dataclass
class Resources:
    """The rows, Redis and topics of one enrolment."""

    relations: CourseRelations
    rows: dict[str, StoredContent]
    status: int | None
    completed_on: datetime | None = None
    content_status: dict[str, int] = field(default_factory=dict)
    progress: int | None = None
    pending: dict[str, PendingCounts] = field(default_factory=dict)
    markers: set[str] = field(default_factory=set)
    audits: list[str] = field(default_factory=list)
    status_at_request: list[int | None] = field(default_factory=list)
    deliveries: int = 0

    def deliver(self, events: Sequence[Contents], *, dies_after: int | None = None, before: bool = False) -> bool:
        """Process one message; with `dies_after` only so many effects happen. Returns whether all of them did."""
        self.deliveries += 1
        for number, effect in enumerate(self._effects(frozenset().union(*events), before=before)):
            if number == dies_after:
                return False
            effect()
        return True

    def store_completion(self, content: str) -> None:
        """What the learner service does at some time around the event: it stores the status."""
        row = self.rows.get(content) or StoredContent(status=None, view_count=None, completed_count=None)
        self.rows[content] = StoredContent(status=2, view_count=row.view_count, completed_count=row.completed_count)

    def _effects(self, completed: Contents, *, before: bool) -> Iterator[Effect]:
        fresh = completed - self.markers
        merged = merge_consumption(self.rows, dict.fromkeys(sorted(completed), 2), fresh, self.pending)
        progress = compute_progress(self.relations, {each: content.status for each, content in merged.items()})
        row = StoredEnrolment(
            exists=True, active=True, status=self.status, completed_on=self.completed_on, issued_names=()
        )
        now = START + timedelta(hours=self.deliveries)
        update = decide_enrolment(row, progress, now=now, filter_processed=True)
        yield from (partial(self._intend, content) for content in merged.values() if content.pending)
        yield from (partial(self._write_counts, content) for content in merged.values() if content.counts_changed)
        if update is not None:
            yield partial(self._write_enrolment, update)
        if fresh and needs_certificate(row, update, progress, delivered_before=before):
            yield lambda: self.status_at_request.append(self.status)
        for content in merged.values():
            for action in content.actions:
                event = content_audit(KEY, content.content_id, action, now_ms=0)
                yield partial(self.audits.append, event["mid"])
        if update is not None and update.newly_completed:
            yield lambda: self.audits.append(enrolment_audit(KEY, now_ms=0)["mid"])
        yield from (partial(self._mark, content) for content in sorted(fresh))

    def _intend(self, content: MergedContent) -> None:
        assert content.pending is not None
        self.pending[content.content_id] = content.pending

    def _write_counts(self, content: MergedContent) -> None:
        row = self.rows.get(content.content_id)
        self.rows[content.content_id] = StoredContent(
            status=row.status if row else None,
            view_count=content.counts.view,
            completed_count=content.counts.completed,
        )

    def _write_enrolment(self, update: EnrolmentUpdate) -> None:
        assert not (self.status == 2 and update.status < 2), "a completed enrolment fell back"
        before = self.content_status
        assert all(update.content_status.get(each) == 2 for each, status in before.items() if status == 2)
        if update.completed_on is not None:
            assert self.completed_on is None, "the time of completion was set twice"
            self.completed_on = update.completed_on
        self.status, self.progress = update.status, update.progress
        self.content_status = dict(update.content_status)

    def _mark(self, content: str) -> None:
        self.markers.add(content)
        self.pending.pop(content, None)
