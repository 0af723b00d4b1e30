"""`lern.activity_aggregate_updater`: a finished lesson becomes progress.

See docs/jobs/activity_aggregate_updater.md.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from lern_tasks.delivery.batch import Batch, BatchRecord
from lern_tasks.delivery.locked_groups import Group, grouped, locked_groups
from lern_tasks.delivery.task import event_job
from lern_tasks.jobs.progress.dedup_markers import marker
from lern_tasks.jobs.progress.events import ProgressEvent, SyncRequest, parse
from lern_tasks.jobs.progress.follow_ups import ask_for_certificates, publish_audits
from lern_tasks.jobs.progress.inputs import ProgressRequest, read_inputs
from lern_tasks.jobs.progress.resources import ProgressResources
from lern_tasks.jobs.progress.rows import progress_lock
from lern_tasks.jobs.progress.rules.content_counts import PendingCounts
from lern_tasks.jobs.progress.rules.decision import ProgressDecision, decide_all
from lern_tasks.jobs.progress.sync_request import forward_sync_requests
from lern_tasks.metrics import count
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "activity_aggregate_updater"

Event = ProgressEvent | SyncRequest

Enrolment = Group[EnrolmentKey, Event]
"""The records of one enrolment in this message."""


@event_job(JOB, parse=parse, resources=ProgressResources)
def activity_aggregate_updater(batch: Batch[Event], ctx: ProgressResources) -> None:
    """Count completed contents, recompute aggregates and the enrolment row, and ask for a certificate."""
    settings = ctx.settings.activity_aggregate_updater
    forward_sync_requests(batch.open, ctx)
    groups = grouped(batch, by=lambda event: event.key)
    count("batch-enrolment-update-count", len(batch.open), job=JOB)
    for held in locked_groups(groups.values(), ctx, job=JOB, lock=progress_lock, about="enrolment"):
        now = ctx.now()
        requests = _uncounted(held.groups, ctx)
        inputs = held.found(read_inputs(JOB, requests, ctx))
        decisions = decide_all(
            inputs,
            now=now,
            filter_processed=settings.activity_filter_processed_enrolments,
            units=settings.activity_module_aggs_enabled,
        )
        ctx.markers.write_ahead(_pending(decisions.values(), ctx))
        held.fail(ctx.progress_rows(JOB).write(decisions.values(), held.tokens, now=now))
        kept = held.release()
        written = [decisions[group.key] for group in kept]
        ask_for_certificates(JOB, written, held.causes, ctx)
        publish_audits(JOB, written, ctx)
        ctx.markers.mark(_pending(written, ctx))
        for group in kept:
            group.done()


def _uncounted(groups: Sequence[Enrolment], ctx: ProgressResources) -> list[ProgressRequest]:
    """What to count of each enrolment; records that were counted before are skipped."""
    completed = {
        group.key: frozenset(content for record in group.records for content in _contents(record)) for group in groups
    }
    if not ctx.settings.activity_aggregate_updater.activity_input_dedup_enabled:
        return [_request(group, completed[group.key], completed[group.key], {}) for group in groups]
    markers = {(key, content): marker(key, content) for key, contents in completed.items() for content in contents}
    seen = ctx.markers.read(markers.values())
    requests = []
    for group in groups:
        fresh = frozenset(content for content in completed[group.key] if markers[group.key, content] not in seen.marked)
        for record in group.records:
            contents = _contents(record)
            if contents and fresh.isdisjoint(contents):
                record.skip("counted before")
        if group.open:
            noted = {c: seen.pending[markers[group.key, c]] for c in fresh if markers[group.key, c] in seen.pending}
            new = {c for record in group.records if not seen.is_read_again(record.record) for c in _contents(record)}
            requests.append(_request(group, completed[group.key], fresh, noted, read_again=fresh - new))
    return requests


def _contents(record: BatchRecord[Event]) -> Sequence[str]:
    return record.event.contents if isinstance(record.event, ProgressEvent) else ()


def _request(
    group: Enrolment,
    completed: frozenset[str],
    fresh: frozenset[str],
    pending: dict[str, PendingCounts],
    read_again: frozenset[str] = frozenset(),
) -> ProgressRequest:
    return ProgressRequest(
        key=group.key,
        completed=completed,
        fresh=fresh,
        pending=pending,
        read_again=read_again,
        # What followed may have been lost: with the broker, or when somebody died after these counts were noted down.
        delivered_before=group.delivered_before or bool(read_again or pending),
    )


def _pending(decisions: Iterable[ProgressDecision], ctx: ProgressResources) -> dict[str, PendingCounts]:
    """The counts to note down before the rows are written, by their marker; none where repeats are counted."""
    if not ctx.settings.activity_aggregate_updater.activity_input_dedup_enabled:
        return {}
    return {
        marker(decision.key, content): pending
        for decision in decisions
        for content, pending in decision.pending.items()
    }
