"""Kafka's errors as log lines that say what to do. See docs/operations.md."""

import logging
import time

from confluent_kafka import KafkaError

from bridge.routes import Route
from lern_tasks.logs import logger

_log = logger(__name__)

_REPEAT = 30.0
"""Seconds until the same error is logged again: an outage stays visible without flooding the log."""

# librdkafka's own codes, as opposed to those of a broker, begin with an underscore.
# ruff: noqa: SLF001
NOT_OURS = KafkaError._STATE
"""The partition is not assigned to this consumer."""
NOTHING_TO_COMMIT = KafkaError._NO_OFFSET
_MISSING = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)
_AWAY = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._TIMED_OUT)


class _NoRepeats(logging.Filter):
    """Drops librdkafka's line for each failed connection attempt, up to twenty a second; `KafkaErrors` reports them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to keep the line."""
        return not record.getMessage().startswith("FAIL ")


_NO_REPEATS = _NoRepeats()


def library_logger() -> logging.Logger:
    """The logger for librdkafka's own lines."""
    library = logging.getLogger("bridge.librdkafka")
    library.addFilter(_NO_REPEATS)
    return library


class KafkaErrors:
    """Reports the errors of one route's consumer, each kind at most every 30 seconds."""

    def __init__(self, route: Route, *, brokers: str) -> None:
        self._route = route
        self._brokers = brokers
        self._last: dict[str, float] = {}

    def report(self, error: KafkaError) -> None:
        """Log `error`; the consumer itself goes on trying."""
        if error.code() in _MISSING:
            self._log(
                "topic_missing", topic=self._route.topic, todo="type `lern topics create`; trying again until then"
            )
        elif error.code() in _AWAY:
            todo = "start Kafka or correct LERN_KAFKA__BROKERS; trying again until then"
            self._log("kafka_away", brokers=self._brokers, error=error.name(), todo=todo)
        else:
            self._log("kafka_error", topic=self._route.topic, error=error.name(), detail=error.str())

    def _log(self, event: str, **fields: str) -> None:
        kind = f"{event} {fields.get('error', '')}" if event == "kafka_error" else event
        now = time.monotonic()
        if now - self._last.get(kind, -_REPEAT) >= _REPEAT:
            self._last[kind] = now
            _log.warning(event, job=self._route.job, **fields)
