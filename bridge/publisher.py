"""The task broker as one route sees it. See docs/architecture.md, "Back-pressure".

Each route has its own, with its own connections: nothing is shared between threads.
"""

from contextlib import suppress
from typing import Any

from celery import Celery
from kombu.exceptions import SerializationError
from redis.exceptions import RedisError

from bridge.packing import TaskMessage
from bridge.routes import Route
from lern_tasks.connections.redis import connect, refuses
from lern_tasks.errors import DependencyDown, LernError
from lern_tasks.settings import Settings, celery_layers
from lern_tasks.settings.celery_guarantees import servers

_TIMEOUT = 5.0
"""Seconds for one call to the broker. An answer takes under a millisecond, `appendfsync always` on a slow disk a few
hundred; longer is an outage, and the consumer must go on polling."""

_UNACKED = "unacked"
"""kombu's hash of delivered, unacknowledged messages. All queues of a broker database share it."""

_PROBE_KEY = "lern:bridge:probe"
"""A small key of our own that is written to see whether the broker takes writes."""

_PROBE_SECONDS = 60
"""How long that key is kept: long enough to be seen by someone who looks, and gone by itself."""

_NEVER_TOO_LARGE = 64 * 1024
"""Bytes of values that every Redis takes. Its lowest `proto-max-bulk-len` is 1 MiB; JSON in base64 makes at most eight
bytes of one, and half is left for keys and headers."""

_ATTEMPTS = 3
"""Attempts, each after a small write that worked, until a large message counts as one that the broker does not take."""


class Unsendable(LernError):
    """The message can never be dispatched as it is: it cannot be serialised, or is more than the broker takes."""

    code = "NOT_HANDED_OVER"


def bare_app(settings: Settings, *, with_results: bool = False) -> Celery:
    """A Celery app that sends by name and has no task: the queues and transport options of the workers' app.

    What sends has no result backend, or every send would subscribe to a result that nobody reads.
    """
    app = Celery("bridge", set_as_current=False)
    app.config_from_object(celery_layers.SOURCE)
    # The workers' transport is for those who take messages; it would bring their stores into the bridge.
    app.conf.update(servers(settings), broker_transport=None)
    if not with_results:
        app.conf.update(result_backend="disabled://")
    return app


class Broker:
    """Sends the messages of one route and measures its queue."""

    def __init__(self, route: Route, settings: Settings) -> None:
        self._queue = route.queue
        self._app = bare_app(settings)
        self._prefix = (self._app.conf.broker_transport_options or {}).get("global_keyprefix", "")
        self._producer: Any = None
        self._failures: dict[tuple[int, int, bool], int] = {}
        # Tried once: back-pressure asks again, and a hidden retry would only keep the consumer from polling.
        self._redis = connect(settings.redis_url("broker"), timeout=_TIMEOUT)

    def send(self, message: TaskMessage) -> None:
        """Hand `message` over; return when the broker has it.

        Raises DependencyDown when the delivery is uncertain, whatever the reason: send it again. Raises Unsendable
        when sending it again cannot help.
        """
        key = (message.partition, message.first, len(message.polled) == 1)
        if self._failures.get(key, 0) >= _ATTEMPTS:
            raise Unsendable(f"the broker takes small writes but not this message of {message.size} bytes")
        try:
            self._publish(message)
        except SerializationError as error:
            raise Unsendable(f"the message cannot be serialised: {error}") from error
        except Exception as error:
            # What can be wrong with a connection that has just failed is no news.
            with suppress(Exception):
                self._disconnect()
            if message.size > _NEVER_TOO_LARGE and not refuses(error):
                self._failures[key] = self._failures.get(key, 0) + 1
            raise _away(error) from error
        self._forget(message)

    def depth(self) -> int:
        """Messages that wait in the route's queue, and those that are delivered but not acknowledged.

        The first is the length of the list that kombu names like the queue (priorities, which nothing here sets,
        would have lists of their own). The second counts every queue of this broker database, since kombu keeps one
        hash for all: what workers hold is small against the marks. Raises DependencyDown.
        """
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.llen(f"{self._prefix}{self._queue}")
                pipe.hlen(f"{self._prefix}{_UNACKED}")
                return sum(pipe.execute())
        except (RedisError, OSError) as error:
            raise _away(error) from error

    def check_writable(self) -> None:
        """Write something small. Raises DependencyDown when the broker is away, full, or a read-only replica."""
        try:
            self._redis.set(f"{self._prefix}{_PROBE_KEY}", self._queue, ex=_PROBE_SECONDS)
        except (RedisError, OSError) as error:
            raise _away(error) from error

    def close(self) -> None:
        """Close both connections."""
        self._disconnect()
        self._redis.close()

    def _publish(self, message: TaskMessage) -> None:
        if self._producer is None:
            self._producer = self._connect()
        self._app.send_task(
            message.route.task,
            args=[[polled.record.to_wire() for polled in message.polled]],
            kwargs={},
            producer=self._producer,
            task_id=message.task_id,
            argsrepr=message.argsrepr,
            kwargsrepr="{}",
            queue=message.route.queue,
            serializer="json",
            # Waiting for a broker that is away is the work of back-pressure: the consumer polls meanwhile.
            retry=False,
        )

    def _connect(self) -> Any:
        connection = self._app.connection_for_write(
            transport_options={"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT}
        )
        # One attempt, and a channel of our own: kombu by itself waits two seconds and tries again, or without end.
        connection.ensure_connection(max_retries=0)
        return self._app.amqp.Producer(connection.channel(), auto_declare=False)

    def _disconnect(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None and producer.connection is not None:
            producer.connection.release()

    def _forget(self, message: TaskMessage) -> None:
        """Drop the failures of messages that began at or before what has now been taken."""
        if self._failures:
            self._failures = {
                key: count
                for key, count in self._failures.items()
                if key[0] != message.partition or key[1] > message.last
            }


def _away(error: Exception) -> DependencyDown:
    return DependencyDown("broker", f"{type(error).__name__}: {error}")
