"""`lern.activity_aggregate_updater`: a finished lesson becomes progress.

See docs/jobs/activity_aggregate_updater.md.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from lern_tasks.delivery.batch import Batch, BatchRecord
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError, LockBusy
from lern_tasks.jobs.progress import sync_request
from lern_tasks.jobs.progress.events import ProgressEvent, SyncRequest, parse
from lern_tasks.jobs.progress.recompute import Group, groups_of, marker, rounds
from lern_tasks.jobs.progress.resources import ProgressResources
from lern_tasks.jobs.progress.rows import ProgressRequest
from lern_tasks.jobs.progress.rules.content_counts import PendingCounts
from lern_tasks.metrics import count
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "activity_aggregate_updater"

Event = ProgressEvent | SyncRequest


@event_job(JOB, parse=parse, resources=ProgressResources)
def activity_aggregate_updater(batch: Batch[Event], ctx: ProgressResources) -> None:
    """Count completed contents, recompute aggregates and the enrolment row, and ask for a certificate."""
    sync_request.forward_sync_requests(batch.open, ctx)
    groups = groups_of(batch.open)
    count("batch-enrolment-update-count", sum(len(group.items) for group in groups.values()), job=JOB)

    def wanted(keys: Sequence[EnrolmentKey]) -> list[ProgressRequest]:
        return _uncounted([groups[key] for key in keys], ctx)

    causes = {key: group.cause for key, group in groups.items()}
    for answers in rounds(JOB, causes, ctx, wanted=wanted):
        for key, answer in answers.items():
            groups[key].settle(answer if isinstance(answer, LernError) else None)
    for item in batch.open:
        item.fail(LockBusy("another worker is busy with this enrolment"))


def _uncounted(groups: Sequence[Group[Event]], ctx: ProgressResources) -> list[ProgressRequest]:
    """What to count of each enrolment; records that were counted before are skipped."""
    completed = {group.key: frozenset(c for item in group.items for c in _contents(item)) for group in groups}
    if not ctx.settings.activity_aggregate_updater.activity_input_dedup_enabled:
        return [_wanted(group, completed[group.key], completed[group.key]) for group in groups]
    markers = {(key, content): marker(key, content) for key, contents in completed.items() for content in contents}
    marked, pending = ctx.markers.read(markers.values())
    wanted = []
    for group in groups:
        fresh = frozenset(content for content in completed[group.key] if markers[group.key, content] not in marked)
        for item in group.items:
            contents = _contents(item)
            if contents and fresh.isdisjoint(contents):
                item.skip("counted before")
        if any(item.outcome is None for item in group.items):
            noted = {c: pending[markers[group.key, c]] for c in fresh if markers[group.key, c] in pending}
            wanted.append(_wanted(group, completed[group.key], fresh, noted))
    return wanted


def _contents(item: BatchRecord[Event]) -> Sequence[str]:
    return item.event.contents if isinstance(item.event, ProgressEvent) else ()


def _wanted(
    group: Group[Event],
    completed: frozenset[str],
    fresh: frozenset[str],
    pending: Mapping[str, PendingCounts] | None = None,
) -> ProgressRequest:
    return ProgressRequest(
        key=group.key,
        completed=completed,
        fresh=fresh,
        pending=pending or {},
        delivered_before=group.delivered_before,
    )
