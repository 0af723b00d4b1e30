"""What cannot be dispatched goes to the route's failed topic. See docs/architecture.md, "Failure"."""

import time

from bridge.routes import Route
from lern_tasks.connections.files import Files
from lern_tasks.connections.kafka import KafkaOut
from lern_tasks.delivery import dead_letter
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.subject import log_fields
from lern_tasks.errors import LernError
from lern_tasks.logs import logger
from lern_tasks.metrics import count
from lern_tasks.settings import Settings

_log = logger(__name__)


class DeadLetters:
    """Publishes dead letters of one route; connects to nothing before the first."""

    def __init__(self, route: Route, settings: Settings) -> None:
        self._route = route
        self._kafka = KafkaOut(settings.kafka)
        self._files = Files(settings.files.location)

    def publish(self, record: Record, error: LernError) -> None:
        """Publish `record` with the reason `error`; return when Kafka has confirmed it.

        Raises DependencyDown when it has not: keep the record's offset and try again.
        """
        failure = dead_letter.failure_of(
            error, job=self._route.job, record=record, now_ms=int(time.time() * 1000), task_id=None
        )
        letter = dead_letter.DeadLetter(record=record, failure=failure, topic=self._route.failed_topic)
        for problem in dead_letter.publish([letter], self._kafka, self._files):
            if problem is not None:
                raise problem
        count("records-dead", job=self._route.job)
        _log.warning(
            "record_dead",
            job=self._route.job,
            failed_topic=self._route.failed_topic,
            code=error.code,
            error=str(error),
            **log_fields(record),
        )

    def close(self) -> None:
        """Close the producer."""
        self._kafka.close()
