"""The Kafka producer: publishes messages and waits until the broker has them. See docs/architecture.md, "Delivery"."""

import logging
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Producer

from lern_tasks.errors import DependencyDown, LernError, PartlyDown, SettingsError
from lern_tasks.settings.shared import KafkaSettings

_LOG = logging.getLogger(__name__)

# Short enough for a signal (soft time limit, stop) to be handled between two calls into C.
_SLICE = 0.2

# librdkafka looks once a second for messages whose delivery timeout is over; one look and the callbacks fit in.
_REPORT_GRACE = 2.0

# A broker that is up answers a metadata request in milliseconds; this leaves room for one reconnect.
_PING_TIMEOUT = 5.0

_CLIENT = {
    "client.id": "lern_tasks",
    # librdkafka waits up to 10 s between connection attempts; after an outage that is time lost for nothing.
    "reconnect.backoff.max.ms": "2000",
    # Brokers close idle connections as a matter of course; not worth a line in the log.
    "log.connection.close": "false",
}

_PRODUCER = {
    "enable.idempotence": "true",
    "acks": "all",
    # Collects what one publish hands over; a flush sends at once anyway.
    "linger.ms": "5",
    # 32 MiB: the broker decides what is too large (1 MiB by default), but a request that exceeds its
    # socket.request.max.bytes (100 MiB) would only lose the connection, again and again.
    "message.max.bytes": str(32 * 1024 * 1024),
    # A topic that brokers do not know after 5 s does not exist; the default of 30 s is longer than delivery_timeout.
    "topic.metadata.propagation.max.ms": "5000",
}

_FATAL = KafkaError._FATAL  # noqa: SLF001 (the library's own names of its local errors)
_UNKNOWN_TOPIC = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)  # noqa: SLF001
_TOO_LARGE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)


class TooLarge(LernError):
    """The message exceeds what the broker, its topic or the producer takes; it has not been stored."""

    code = "TOO_LARGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutMessage:
    """A message to publish; `headers` keep their order."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class KafkaOut:
    """Publishes to Kafka. The producer is made at first use in each process: one made before a fork crashes the child.

    Threads may share an instance.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: tuple[int, Producer] | None = None
        self._missing: set[str] = set()

    def publish(self, messages: Sequence[OutMessage]) -> list[LernError | None]:
        """Publish all messages in one flush; the answer has their order, None for what the broker confirmed.

        Otherwise TooLarge, PartlyDown for a topic that does not exist, or DependencyDown("kafka") for whatever has no
        confirmation within `delivery_timeout` seconds (2 s more for the report); such a message may or may not have
        been stored. Raises SettingsError when librdkafka does not accept the settings.
        """
        results = self._send(messages)
        if len(messages) > 1:
            self._resend_alone(messages, results)
        return results

    def ping(self) -> None:
        """Raise DependencyDown("kafka") unless a broker answers within 5 s."""
        try:
            self._producer().list_topics(timeout=_PING_TIMEOUT)
        except KafkaException as error:
            raise _down(error.args[0]) from None

    def close(self) -> None:
        """Close the producer; what it still holds gets one `delivery_timeout`."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened and opened[0] == os.getpid():
            opened[1].flush(self._settings.delivery_timeout)

    def _resend_alone(self, messages: Sequence[OutMessage], results: list[LernError | None]) -> None:
        # The broker measures a batch, not a message: neighbours of a large one may be refused with it.
        for index, error in enumerate(results):
            if not isinstance(error, TooLarge):
                continue
            results[index] = self._send([messages[index]])[0]
            if isinstance(results[index], DependencyDown):
                return

    def _send(self, messages: Sequence[OutMessage]) -> list[LernError | None]:
        producer = self._producer()
        seconds = self._settings.delivery_timeout
        deadline = time.monotonic() + seconds + _REPORT_GRACE
        waiting = DependencyDown("kafka", f"kafka has not confirmed the message within {seconds:g} s")
        results: list[LernError | None] = [waiting] * len(messages)

        def report(index: int, error: KafkaError | None, _message: object = None) -> None:
            results[index] = None if error is None else self._failure(error, messages[index], producer)

        absent = self._absent({message.topic for message in messages}, producer)
        try:
            for index, message in enumerate(messages):
                if message.topic in absent:
                    results[index] = _no_topic(message.topic)
                    continue
                _enqueue(producer, message, deadline, partial(report, index))
            while waiting in results and time.monotonic() < deadline:
                producer.flush(_SLICE)
            if waiting in results:
                # What stays queued would be sent beside its own retry when the broker is back.
                producer.purge()
                producer.flush(_SLICE)
        except KafkaException:
            # A fatal error: sequence numbers are lost, and this producer takes nothing any more.
            self._forget(producer)
        return results

    def _failure(self, error: KafkaError, message: OutMessage, producer: Producer) -> LernError:
        if error.code() in _TOO_LARGE:
            return TooLarge(f"a message of {_size(message)} bytes is too large for topic {message.topic}")
        if error.fatal() or error.code() == _FATAL:
            self._forget(producer)
        if error.code() in _UNKNOWN_TOPIC:
            self._missing.add(message.topic)
            return _no_topic(message.topic)
        return _down(error)

    def _absent(self, topics: set[str], producer: Producer) -> set[str]:
        """Those of `topics` that were missing and still are: asked for, since a message to one takes 5 s to fail."""
        for topic in topics & self._missing:
            with suppress(KafkaException):
                if producer.list_topics(topic, timeout=_PING_TIMEOUT).topics[topic].error is None:
                    self._missing.discard(topic)
        return topics & self._missing

    def _producer(self) -> Producer:
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                if self._opened is not None:
                    _INHERITED.append(self._opened[1])
                self._opened = (os.getpid(), self._open())
            return self._opened[1]

    def _open(self) -> Producer:
        timeout = {"delivery.timeout.ms": str(int(self._settings.delivery_timeout * 1000))}
        config = {**_PRODUCER, **timeout, **client_config(self._settings)}
        try:
            return Producer(config, logger=_LOG)
        except KafkaException as error:
            raise SettingsError(f"LERN_KAFKA__...: {error.args[0].str()}") from None

    def _forget(self, producer: Producer) -> None:
        with self._lock:
            if self._opened is not None and self._opened[1] is producer:
                self._opened = None


_INHERITED: list[Producer] = []
"""Producers of the parent process: never used, never closed here, since their threads exist in the parent only."""


def client_config(kafka: KafkaSettings) -> dict[str, str]:
    """The librdkafka configuration of every client: address and security; `properties` have the last word."""
    optional = {
        "sasl.mechanism": kafka.sasl_mechanism,
        "sasl.username": kafka.sasl_username,
        "sasl.password": kafka.sasl_password.get_secret_value(),
        "ssl.ca.location": kafka.ssl_ca_location,
    }
    return {
        **_CLIENT,
        "bootstrap.servers": kafka.brokers,
        "security.protocol": kafka.security_protocol,
        **{name: value for name, value in optional.items() if value},
        **kafka.properties,
    }


def _enqueue(producer: Producer, message: OutMessage, deadline: float, report: "partial[None]") -> None:
    while time.monotonic() < deadline:
        try:
            producer.produce(
                message.topic,
                value=message.value,
                key=message.key,
                headers=list(message.headers),
                on_delivery=report,
            )
        except BufferError:  # the local queue is full: let some of it out first
            producer.poll(_SLICE)
        except KafkaException as error:
            report(error.args[0])
            return
        else:
            return


def _no_topic(topic: str) -> PartlyDown:
    return PartlyDown("kafka", f"topic {topic} does not exist: run `lern topics create`", part=topic)


def _down(error: KafkaError) -> DependencyDown:
    return DependencyDown("kafka", f"kafka does not answer or does not take the message: {error.name()}")


def _size(message: OutMessage) -> int:
    headers = sum(len(name) + len(value) for name, value in message.headers)
    return len(message.value or b"") + len(message.key or b"") + headers
