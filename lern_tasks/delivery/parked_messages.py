"""Keeps the messages that Celery itself would drop: unreadable, unknown task, no task at all.

They wait in a Redis list as they came until `lern.publish_parked` brings them to the failed topic. See
docs/architecture.md, "Parked messages".
"""

import base64
from typing import Any

import msgspec
from celery.worker.consumer import Consumer

from lern_tasks import settings
from lern_tasks.connections.redis import Client, RedisRoles, translated
from lern_tasks.errors import DependencyDown
from lern_tasks.logs import logger

KEY = "lern:parked"
"""The list in the state Redis."""

_log = logger(__name__)


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
