"""Asking for the relation cache of a course that has none. See docs/architecture.md, "Failure"."""

import msgspec

from lern_tasks.errors import DependencyDown
from lern_tasks.logs import logger
from lern_tasks.records import Record
from lern_tasks.sender import derived_id
from lern_tasks.wiring import World

_ONCE_IN = 60
"""Seconds between two requests for the relation cache of one course: a publication is derived within seconds."""

_log = logger(__name__)


def ask_for_relations(world: World, course_id: str) -> None:
    """Ask for the relation cache of the course, once a minute. An outage is logged: what waits asks again."""
    try:
        if world.once.first(f"relations:{course_id}", expiry=_ONCE_IN):
            record = Record(value=_event(course_id), topic="relation-cache-request")
            task_id = derived_id("relations", course_id, world.now_ms())
            world.sender.send("relation_cache_updater", [record], task_id=task_id)
    except DependencyDown as down:
        # The request is a help; what needs the relations is tried again all the same.
        _log.warning("relation_cache_not_requested", course_id=course_id, dependency=down.name)


def _event(course_id: str) -> str:
    return msgspec.json.encode(
        {
            "eid": "BE_JOB_REQUEST",
            "edata": {
                "action": "relation-cache-update",
                "identifier": course_id,
                "mimeType": "application/vnd.ekstep.content-collection",
            },
        }
    ).decode()
