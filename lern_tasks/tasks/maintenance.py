"""Small periodic tasks of the system itself. See docs/operations.md."""

from typing import Any

import msgspec

from lern_tasks import settings as lern_settings
from lern_tasks.app import app
from lern_tasks.connections.redis import translated
from lern_tasks.delivery import dead_letter, parked_messages
from lern_tasks.delivery import resources as wiring
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import World
from lern_tasks.errors import LernError
from lern_tasks.metrics import count

_PARKED_AT_ONCE = 100
"""Messages of one run: what is left waits for the next, a minute later."""

_BEAT_LOCK = 55
"""Seconds: below the interval of a minute, so that two beats run a task once and the next minute runs it again."""

PARKED_TOPIC = "{env}.lern.tasks.failed"


@app.task(name="lern.publish_parked")
def publish_parked() -> int:
    """Bring messages that Celery would have dropped to the failed topic; how many were published."""
    world = wiring.world(lern_settings.current(), app)
    if not world.once.first("beat:publish-parked", expiry=_BEAT_LOCK):
        return 0
    return publish_parked_messages(world)


def publish_parked_messages(world: World) -> int:
    """Publish and, once confirmed, remove the first parked messages. Raises the first error of publishing."""
    client = world.redis.client("state")
    with translated():
        entries = client.lrange(parked_messages.KEY, 0, _PARKED_AT_ONCE - 1)
    letters = [_letter(world, msgspec.json.decode(entry)) for entry in entries]
    for error in dead_letter.publish(letters, world.kafka, world.files):
        if error is not None:
            raise error
    with translated():
        for entry in entries:
            client.lrem(parked_messages.KEY, 1, entry)
    count("messages-parked", len(letters), job="maintenance")
    return len(letters)


class Parked(LernError):
    """Celery would have dropped this message."""

    code = "PARKED"


def _letter(world: World, entry: dict[str, Any]) -> dead_letter.Letter:
    record = Record(value=entry["body"], encoding="base64", topic=f"celery:{entry['queue']}")
    failure = dead_letter.failure_of(
        Parked(entry["reason"]), job="maintenance", record=record, now_ms=world.now_ms(), task_id=None
    )
    return dead_letter.Letter(record=record, failure=failure, topic=world.settings.topic(PARKED_TOPIC))
