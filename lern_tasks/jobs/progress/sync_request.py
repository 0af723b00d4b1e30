"""Handing sync events of merged accounts on to reconciliation. See docs/jobs/activity_aggregate_updater.md, "Event"."""

from collections.abc import Iterable
from typing import Any

from lern_tasks.delivery.batch import BatchRecord
from lern_tasks.delivery.handoff import Handoff, hand_off
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.jobs.progress.events import SyncRequest
from lern_tasks.sunbird.audit_event import business_uuid
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


def forward_sync_requests(items: Iterable[BatchRecord[Any]], ctx: Resources) -> None:
    """Hand each sync event on to reconciliation, ours or Flink's. Raises DependencyDown."""
    syncs = [item for item in items if isinstance(item.event, SyncRequest)]
    hand_off(ctx, [sync_step(item.event.key, item.record, ctx) for item in syncs if not item.event.reconciled])
    for item in syncs:
        if item.event.reconciled:
            item.skip("reconciled before")
        else:
            item.done()


def sync_step(key: EnrolmentKey, cause: Record, ctx: Resources) -> Handoff:
    """The step that reconciles an enrolment because of the record `cause`."""
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
