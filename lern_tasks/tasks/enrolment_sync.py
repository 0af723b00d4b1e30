"""Handing sync events of merged accounts on to reconciliation. See docs/jobs/activity_aggregate_updater.md, "Event"."""

from collections.abc import Iterable
from typing import Any

import msgspec

from lern_tasks.batch import Item
from lern_tasks.clients.kafka_out import OutMessage
from lern_tasks.events.activity_aggregate_updater import SyncRequest
from lern_tasks.next_step import publish
from lern_tasks.rules.audit import business_uuid
from lern_tasks.rules.enrolment import EnrolmentKey
from lern_tasks.wiring import World


def hand_on_syncs(items: Iterable[Item[Any]], world: World) -> None:
    """Publish a sync request for each sync event; the topic's consumer is the reconciliation job, Flink's or ours.

    Raises DependencyDown.
    """
    syncs = [item for item in items if isinstance(item.event, SyncRequest)]
    topic = world.settings.topic(world.settings.activity_aggregate_updater.kafka_enrolment_sync_topic)
    wanted = [item for item in syncs if not item.event.reconciled]
    publish(
        world,
        [
            OutMessage(
                topic=topic,
                value=msgspec.json.encode(sync_event(item.event.key, now_ms=world.now_ms())),
                key=item.event.key.user_id.encode(),
            )
            for item in wanted
        ],
    )
    for item in syncs:
        if item.event.reconciled:
            item.skip("reconciled before")
        else:
            item.done()


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
