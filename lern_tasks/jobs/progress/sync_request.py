"""Sync events of merged accounts go to reconciliation. See docs/jobs/activity_aggregate_updater.md, "Event"."""

from collections.abc import Iterable
from typing import Any

from lern_tasks.delivery.batch import BatchRecord
from lern_tasks.delivery.handoff import Handoff, hand_off
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.jobs.progress.events import SyncRequest
from lern_tasks.sunbird.audit_event import business_uuid
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


def forward_sync_requests(records: Iterable[BatchRecord[Any]], ctx: Resources) -> None:
    """Hand each sync event off to reconciliation, ours or Flink's. Raises DependencyDown."""
    syncs = [record for record in records if isinstance(record.event, SyncRequest)]
    due = [record for record in syncs if not record.event.reconciled]
    hand_off(ctx, [sync_handoff(record.event.key, record.record, ctx) for record in due])
    for record in syncs:
        if record.event.reconciled:
            record.skip("reconciled before")
        else:
            record.done()


def sync_handoff(key: EnrolmentKey, cause: Record, ctx: Resources) -> Handoff:
    """The hand-off that reconciles an enrolment because of the record `cause`."""
    return Handoff(
        job="enrolment_reconciliation",
        event=sync_event(key, now_ms=ctx.now_ms()),
        topic=ctx.settings.topic(ctx.settings.enrolment_reconciliation.kafka_input_topic),
        key=key.user_id,
        business_key=f"sync:{key.text}",
        cause=cause,
    )


def sync_event(key: EnrolmentKey, *, now_ms: int) -> dict[str, Any]:
    """The event that asks for the reconciliation of an enrolment."""
    return {
        "eid": "BE_JOB_REQUEST",
        "ets": now_ms,
        "mid": f"LP.{now_ms}.{business_uuid('sync', key.user_id, key.course_id, key.batch_id)}",
        "actor": {"id": "Course Batch Updater", "type": "System"},
        "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}},
        "object": {"type": "CourseBatchEnrolment", "id": f"{key.batch_id}_{key.user_id}"},
        "edata": {
            "action": "user-enrolment-sync",
            "iteration": 1,
            "batchId": key.batch_id,
            "userId": key.user_id,
            "courseId": key.course_id,
        },
    }
