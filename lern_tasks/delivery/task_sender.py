"""Sends task messages by name, on one kept producer. See docs/architecture.md, "Messages"."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from lern_tasks import catalogue as topics
from lern_tasks.catalogue import JobName
from lern_tasks.delivery.record import Record
from lern_tasks.errors import DependencyDown

_RETRY = {"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 0.5}
"""A dropped connection is renewed within a second; a longer outage is the caller's to wait out."""


def derived_id(*parts: object) -> str:
    """The task id that the same parts always give: a message sent twice has one id."""
    return str(uuid5(NAMESPACE_URL, ":".join(["lern", *map(str, parts)])))


class Sender:
    """Sends records to tasks. Make it after a fork."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._producer: Any = None

    def send(
        self,
        job: JobName,
        records: Sequence[Record],
        *,
        task_id: str,
        countdown: float | None = None,
    ) -> None:
        """Send one message with `records` to `job`, on its queue or on that for mass work.

        Raises DependencyDown when the broker did not take it.
        """
        bulk = any(record.bulk for record in records)
        self._send(
            topics.task_name(job),
            [[record.to_wire() for record in records]],
            task_id=task_id,
            argsrepr=f"({job}, {len(records)} records)",
            countdown=countdown,
            queue=topics.BULK_QUEUE if bulk else topics.queue_name(job),
        )

    def send_named(
        self, name: str, kwargs: Mapping[str, Any], *, task_id: str, queue: str, countdown: float | None = None
    ) -> None:
        """Send a task with keyword arguments, which show. Raises DependencyDown when the broker did not take it."""
        self._send(name, [], kwargs=dict(kwargs), task_id=task_id, queue=queue, countdown=countdown)

    def _send(self, name: str, args: list[Any], **options: Any) -> None:
        try:
            if self._producer is None:
                self._producer = self._app.amqp.Producer(self._app.connection_for_write(), auto_declare=False)
            self._app.send_task(name, args=args, producer=self._producer, retry=True, retry_policy=_RETRY, **options)
        except (OperationalError, RedisError, OSError) as error:
            self.close()
            raise DependencyDown("broker", f"the task broker does not answer: {error}") from error

    def ping(self) -> None:
        """Connect to the broker. Raises DependencyDown."""
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=5)
        except (OperationalError, RedisError, OSError) as error:
            raise DependencyDown("broker", f"the task broker does not answer: {error}") from error

    def close(self) -> None:
        """Close the kept connection."""
        producer, self._producer = self._producer, None
        if producer is not None:
            connection = producer.connection
            producer.release()
            connection.release()
