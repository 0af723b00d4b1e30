"""What follows a merge of accounts: reconciliation, scores, and the documented sync events.

See docs/jobs/merge_user_courses.md, "What follows".
"""

from collections.abc import Sequence
from typing import Any

from lern_tasks.delivery.handoff import Handoff, hand_off, publish_events
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.jobs.progress.api import sync_handoff
from lern_tasks.sunbird.audit_event import business_uuid
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


def reconcile(keys: Sequence[EnrolmentKey], cause: Record, ctx: Resources) -> None:
    """Let the progress of these enrolments be computed anew. Raises DependencyDown."""
    hand_off(ctx, [sync_handoff(key, cause, ctx) for key in keys])


def recompute_scores(contents: Sequence[tuple[EnrolmentKey, str]], cause: Record, ctx: Resources) -> None:
    """Let the scores of these contents be computed from the attempts that there are now. Raises DependencyDown."""
    topic = ctx.settings.topic(ctx.settings.assessment_aggregator.kafka_input_topic)
    handoffs = [
        Handoff(
            job="assessment_aggregator",
            event=recompute_event(key, content, now_ms=ctx.now_ms()),
            topic=topic,
            key=key.user_id,
            business_key=f"recompute:{key.text}:{content}",
            cause=cause,
        )
        for key, content in contents
    ]
    hand_off(ctx, handoffs)


def publish_syncs(keys: Sequence[EnrolmentKey], ctx: Resources) -> int:
    """Publish the documented event for each enrolment of the target; how many. Raises DependencyDown."""
    topic = ctx.settings.merge_user_courses.kafka_output_course_batch_updater_topic
    publish_events(ctx, topic, [merged_event(key, now_ms=ctx.now_ms()) for key in keys])
    return len(keys)


def recompute_event(key: EnrolmentKey, content_id: str, *, now_ms: int) -> dict[str, Any]:
    """An attempt without answers: it asks for nothing but the scores."""
    return {
        "assessmentTs": now_ms,
        "batchId": key.batch_id,
        "courseId": key.course_id,
        "userId": key.user_id,
        "contentId": content_id,
    }


def merged_event(key: EnrolmentKey, *, now_ms: int) -> dict[str, Any]:
    """The event of the Flink job; `reconciled` tells our own aggregator that nothing is left to do."""
    return {
        "eid": "BE_JOB_REQUEST",
        "ets": now_ms,
        "mid": f"LP.{now_ms}.{business_uuid('merged', key.user_id, key.course_id, key.batch_id)}",
        "actor": {"id": "Course Batch Updater", "type": "System"},
        "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}},
        "object": {"id": f"{key.batch_id}_{key.user_id}", "type": "CourseBatchEnrolment"},
        "edata": {
            "action": "batch-enrolment-sync",
            "iteration": 1,
            "batchId": key.batch_id,
            "userId": key.user_id,
            "courseId": key.course_id,
            "reset": ["completionPercentage", "status", "progress"],
            "reconciled": True,
        },
    }
