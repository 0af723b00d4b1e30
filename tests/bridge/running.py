"""A route's consumer in a thread of the test."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from bridge.back_pressure import BackPressure
from bridge.consumer import DeadLetterPublisher, RouteConsumer
from bridge.service import consumer_config
from tests.bridge.doubles import RecordingBroker, RecordingDeadLetters
from tests.bridge.kafka import Kafka

HIGH, LOW = 10, 5


class Running:
    """A consumer that runs until `stop`."""

    def __init__(
        self,
        kafka: Kafka,
        broker: RecordingBroker,
        dead: DeadLetterPublisher,
        *,
        records: int,
        properties: Mapping[str, str],
    ) -> None:
        route = replace(kafka.route(), records=records)
        self.stopping = threading.Event()
        self.failure: BaseException | None = None
        self._consumer = RouteConsumer(
            route,
            kafka=consumer_config(kafka.settings(**properties), route),
            broker=broker,
            dead_letters=dead,
            # Looks often, so that a test need not wait for the next look.
            back_pressure=BackPressure(broker, high=HIGH, low=LOW, every=0.1),
            stop=self.stopping,
            at_once=500,
            max_bytes=1_048_576,
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._consumer.run()
        except BaseException as error:
            self.failure = error

    def stop(self) -> None:
        """Stop and wait for a clean end."""
        self.stopping.set()
        self._thread.join(20)
        assert not self._thread.is_alive(), "the consumer does not stop"
        if self.failure is not None:
            raise self.failure


@contextmanager
def consuming(
    kafka: Kafka,
    broker: RecordingBroker,
    dead: DeadLetterPublisher | None = None,
    *,
    records: int = 100,
    properties: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """A running consumer of the aggregate route; stopped at the end, where its failure is raised."""
    running = Running(kafka, broker, dead or RecordingDeadLetters(), records=records, properties=properties or {})
    try:
        yield running
    finally:
        running.stop()
