"""Everything that progress events of one enrolment, or its reconciliation, lead to, decided at once.

See docs/jobs/activity_aggregate_updater.md, "Rules", and docs/jobs/enrolment_reconciliation.md, "Rules".
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from lern_tasks.jobs.progress.rules.content_counts import (
    COMPLETED,
    MergedContent,
    PendingCounts,
    StoredContent,
    merge_consumption,
)
from lern_tasks.jobs.progress.rules.enrolment_row import (
    EnrolmentUpdate,
    StoredEnrolment,
    decide_enrolment,
    needs_certificate,
)
from lern_tasks.jobs.progress.rules.progress import Progress, compute_progress
from lern_tasks.sunbird.audit_event import Action
from lern_tasks.sunbird.course_relations import CourseRelations
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressInputs:
    """What was read for one enrolment. `completed`: content ids of its events; `fresh`: those to count.

    `reconciling`: computed on demand, from what is stored alone.
    """

    key: EnrolmentKey
    completed: AbstractSet[str]
    fresh: AbstractSet[str]
    pending: Mapping[str, PendingCounts]
    stored: Mapping[str, StoredContent]
    row: StoredEnrolment
    relations: CourseRelations
    retired: bool
    reconciling: bool
    delivered_before: bool

    @property
    def computable(self) -> bool:
        """Whether there is something to compute: not for a retired course, nor when nothing is stored to reconcile."""
        return not self.retired and bool(self.stored or not self.reconciling)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressDecision:
    """What is to be written and said. `progress` is None where nothing is computed: see `ProgressInputs.computable`."""

    key: EnrolmentKey
    merged: Mapping[str, MergedContent]
    progress: Progress | None
    update: EnrolmentUpdate | None
    certificate: bool
    content_audits: tuple[tuple[str, Action], ...]
    completion_audit: bool

    @property
    def pending(self) -> dict[str, PendingCounts]:
        """The counts to note down before the rows are written, by content id."""
        return {content: merged.pending for content, merged in self.merged.items() if merged.pending is not None}


def decide_all(
    inputs: Mapping[EnrolmentKey, ProgressInputs], *, now: datetime, filter_processed: bool, units: bool
) -> dict[EnrolmentKey, ProgressDecision]:
    """The decision of each enrolment: see `decide_progress`."""
    return {
        key: decide_progress(found, now=now, filter_processed=filter_processed, units=units)
        for key, found in inputs.items()
    }


def decide_progress(inputs: ProgressInputs, *, now: datetime, filter_processed: bool, units: bool) -> ProgressDecision:
    """Decide counters, aggregates, enrolment row, certificate request and audits. `now` is the time of the decision."""
    merged = merge_consumption(
        inputs.stored, dict.fromkeys(sorted(inputs.completed), COMPLETED), inputs.fresh, inputs.pending
    )
    audits = tuple((content, action) for content, entry in merged.items() for action in entry.actions)
    if not inputs.computable:
        return ProgressDecision(
            key=inputs.key,
            merged=merged,
            progress=None,
            update=None,
            certificate=False,
            content_audits=audits,
            completion_audit=False,
        )
    statuses = {content: entry.status for content, entry in merged.items()}
    progress = compute_progress(inputs.relations, statuses, units=units)
    update = decide_enrolment(inputs.row, progress, now=now, filter_processed=filter_processed)
    return ProgressDecision(
        key=inputs.key,
        merged=merged,
        progress=progress,
        update=update,
        certificate=needs_certificate(
            inputs.row, update, progress, delivered_before=inputs.delivered_before or inputs.reconciling
        ),
        content_audits=audits,
        completion_audit=_completion_audit(inputs, update, progress),
    )


def _completion_audit(inputs: ProgressInputs, update: EnrolmentUpdate | None, progress: Progress) -> bool:
    """Once, and again when an earlier delivery may have died before it: it repeats under the same `mid`."""
    if update is not None and update.newly_completed:
        return True
    return inputs.delivered_before and progress.complete and inputs.row.status == COMPLETED
