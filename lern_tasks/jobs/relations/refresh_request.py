"""Asking for the relation cache of a course that has none. See docs/architecture.md, "Failure"."""

from typing import Any

from lern_tasks.delivery.handoff import Handoff, hand_off
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.errors import LernError
from lern_tasks.logs import logger

_ONCE_IN = 60
"""Seconds between two requests for the relation cache of one course: a publication is derived within seconds."""

_log = logger(__name__)


def ask_for_relations(ctx: Resources, course_id: str) -> None:
    """Ask our job or Flink's for the relation cache of the course, once a minute.

    What fails is logged: what waits asks again.
    """
    now_ms = ctx.now_ms()
    step = Handoff(
        job="relation_cache_updater",
        event=_event(course_id, now_ms),
        topic=ctx.settings.topic(ctx.settings.relation_cache_updater.kafka_input_topic),
        key=course_id,
        # Each request is a task of its own: what an earlier one found missing may be there now.
        business_key=f"relations:{course_id}:{now_ms}",
        cause=Record(value=None, topic="relation-cache-request"),
    )
    try:
        if ctx.idempotency_keys.claim(f"relations:{course_id}", expiry=_ONCE_IN):
            hand_off(ctx, [step])
    except LernError as error:
        # The request is a help; what needs the relations is tried again all the same.
        _log.warning("relation_cache_not_requested", course_id=course_id, code=error.code)


def _event(course_id: str, now_ms: int) -> dict[str, Any]:
    return {
        "eid": "BE_JOB_REQUEST",
        "ets": now_ms,
        "edata": {
            "action": "relation-cache-update",
            "identifier": course_id,
            "mimeType": "application/vnd.ekstep.content-collection",
        },
    }
