"""Keeps the messages that Celery itself would drop: unreadable, unknown task, no task at all.

They wait in a Redis list as they came until `lern.publish_parked` brings them to the failed topic. See
docs/architecture.md, "Parked messages".
"""

import base64
from typing import Any

import msgspec
from celery import Task, shared_task
from celery.worker.consumer import Consumer

from lern_tasks import settings
from lern_tasks.catalogue import UNKNOWN_JOB_FAILED
from lern_tasks.connections.redis import Client, RedisRoles, translated
from lern_tasks.delivery import dead_letter
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources, process_resources
from lern_tasks.errors import DependencyDown, LernError
from lern_tasks.logs import logger
from lern_tasks.metrics import count

KEY = "lern:parked"
"""The list in the state Redis."""

BEAT_SEEN = "lern:beat-seen"
"""There while beat sends its tasks: the only trace of it that others can see."""

_BEAT_GONE = 300
"""Seconds without the task that beat sends each minute after which it counts as gone; a busy worker takes some."""

_AT_ONCE = 100
"""Messages published by one run: what is left waits for the next, a minute later."""

_BEAT_LOCK = 55
"""Seconds: below the interval of a minute, so that two beats run the task once and the next minute runs it again."""

_log = logger(__name__)


class Parked(LernError):
    """Celery would have dropped this message."""

    code = "PARKED"


def park(client: Client, message: Any, reason: str) -> None:
    """Keep the raw message. Raises DependencyDown."""
    body = message.body if isinstance(message.body, bytes) else str(message.body).encode("utf-8", "surrogatepass")
    entry = {
        "reason": reason,
        "body": base64.b64encode(body).decode(),
        "headers": repr(message.headers),
        "content_type": str(message.content_type),
        "queue": str((message.delivery_info or {}).get("routing_key")),
    }
    with translated():
        client.rpush(KEY, msgspec.json.encode(entry).decode())


class ParkingConsumer(Consumer):
    """Celery's consumer, which parks before it acknowledges or rejects.

    When the state Redis is away the message stays unacknowledged: it is delivered again after the visibility timeout.
    """

    def on_decode_error(self, message: Any, exc: Any) -> None:
        """The body cannot be read."""
        if self._parked(message, f"undecodable body: {exc}"):
            super().on_decode_error(message, exc)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """The body is no task."""
        if self._parked(message, "not a task message"):
            super().on_unknown_message(body, message)

    def on_unknown_task(self, body: Any, message: Any, exc: Any) -> None:
        """No task has this name."""
        if self._parked(message, f"unknown task: {exc}"):
            super().on_unknown_task(body, message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Any) -> None:
        """The task message has the wrong form."""
        if self._parked(message, f"invalid task message: {exc}"):
            super().on_invalid_task(body, message, exc)

    def _parked(self, message: Any, reason: str) -> bool:
        try:
            park(RedisRoles(settings.current()).client("state"), message, reason)
        except DependencyDown:
            _log.error("message_not_parked", reason=reason)
            return False
        _log.error("message_parked", reason=reason)
        return True


@shared_task(name="lern.publish_parked", bind=True)
def publish_parked(self: Task) -> int:
    """Bring messages that Celery would have dropped to the failed topic; how many were published."""
    ctx = process_resources(settings.current(), self.app)
    if not ctx.idempotency_keys.claim("beat:publish-parked", expiry=_BEAT_LOCK):
        return 0
    with translated():
        ctx.redis.client("state").set(BEAT_SEEN, ctx.now_ms(), ex=_BEAT_GONE)
    return publish_parked_messages(ctx)


def publish_parked_messages(ctx: Resources) -> int:
    """Publish and, once confirmed, remove the first parked messages. Raises the first error of publishing."""
    client = ctx.redis.client("state")
    with translated():
        entries = client.lrange(KEY, 0, _AT_ONCE - 1)
    dead = [_dead_letter(ctx, msgspec.json.decode(entry)) for entry in entries]
    for error in dead_letter.publish(dead, ctx.kafka, ctx.files):
        if error is not None:
            raise error
    with translated():
        for entry in entries:
            client.lrem(KEY, 1, entry)
    count("messages-parked", len(dead), job="maintenance")
    return len(dead)


def _dead_letter(ctx: Resources, entry: dict[str, Any]) -> dead_letter.DeadLetter:
    record = Record(value=entry["body"], encoding="base64", topic=f"celery:{entry['queue']}")
    failure = dead_letter.failure_of(
        Parked(entry["reason"]), job="maintenance", record=record, now_ms=ctx.now_ms(), task_id=None
    )
    return dead_letter.DeadLetter(record=record, failure=failure, topic=ctx.settings.topic(UNKNOWN_JOB_FAILED))
