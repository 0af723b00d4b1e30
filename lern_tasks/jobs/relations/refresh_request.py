"""Asking for the relation cache of a course that has none. See docs/architecture.md, "Failure"."""

from functools import partial
from typing import Any

from lern_tasks.delivery.handoff import Handoff, ThrottledHandoff
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.subject import Subject, subject_of


def relations_request(course_id: str) -> ThrottledHandoff:
    """The remedy for what lacks the relation cache of the course: a request to our job, or to Flink's, once a minute.

    A publication is derived within seconds.
    """
    return ThrottledHandoff(key=f"relations:{course_id}", make=partial(_handoff, course_id))


def _handoff(course_id: str, ctx: Resources, cause: Record) -> Handoff:
    now_ms = ctx.now_ms()
    return Handoff(
        job="relation_cache_updater",
        event=_event(course_id, subject_of(cause.text), now_ms),
        topic=ctx.settings.topic(ctx.settings.relation_cache_updater.kafka_input_topic),
        key=course_id,
        # Each request is a task of its own: what an earlier one found missing may be there now.
        business_key=f"relations:{course_id}:{now_ms}",
        # Never behind mass work: live learners may wait for it too.
        cause=cause.next(bulk=False),
    )


def _event(course_id: str, waiting: Subject, now_ms: int) -> dict[str, Any]:
    """The request; the user and batch that wait are for people who find it as a dead letter."""
    ids = {"userId": next(iter(waiting.users), ""), "batchId": waiting.batch}
    return {
        "eid": "BE_JOB_REQUEST",
        "ets": now_ms,
        "edata": {
            "action": "relation-cache-update",
            "identifier": course_id,
            "mimeType": "application/vnd.ekstep.content-collection",
            **{name: found for name, found in ids.items() if found},
        },
    }
