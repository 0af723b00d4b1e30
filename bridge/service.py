"""All routes of one bridge process: a thread each, ended together. See docs/architecture.md, "Bridge"."""

import threading
import time
from collections.abc import Sequence
from typing import Any

from bridge.back_pressure import BackPressure
from bridge.consumer import RouteConsumer
from bridge.dead_letters import DeadLetters
from bridge.kafka_errors import library_logger
from bridge.publisher import Broker
from bridge.routes import Route
from lern_tasks.connections.kafka import client_config
from lern_tasks.logs import logger
from lern_tasks.settings import Settings

_log = logger(__name__)

_LOOK = 0.5
"""Seconds between two looks whether all threads live."""

_DRAIN = 10.0
"""Seconds for a clean end. It takes about one: a poll, the dispatch of what it returned, the commit. The rest is for
a broker that times out; a Kafka that is away cannot take the commit anyway, and librdkafka would wait 45."""

_OVERRIDABLE = {
    # A crash dispatches again what was dispatched since the last commit: about a second's worth.
    "auto.commit.interval.ms": "1000",
    # A group that has never committed starts with what is there: no event is skipped at the first start.
    "auto.offset.reset": "earliest",
    # New topics and partitions are seen within half a minute; the default is five.
    "topic.metadata.refresh.interval.ms": "30000",
    # 16 MiB a consumer is more than a bridge dispatches in a second; the default of 64 only costs memory.
    "queued.max.messages.kbytes": "16384",
}
_FIXED = {
    "enable.auto.commit": "true",
    "enable.auto.offset.store": "false",
    "isolation.level": "read_committed",
}
"""What the promise "nothing is lost" rests on; `LERN_KAFKA__CONSUMER_PROPERTIES` does not change it."""


def consumer_config(settings: Settings, route: Route) -> dict[str, Any]:
    """The librdkafka configuration of the route's consumer, without its group."""
    return {
        **_OVERRIDABLE,
        **client_config(settings.kafka),
        **settings.kafka.consumer_properties,
        **_FIXED,
        "client.id": f"lern-bridge-{route.queue}",
        "logger": library_logger(),
    }


class Service:
    """Runs the consumers of `routes`. When one dies the others are drained, so that a restart finds all of them."""

    def __init__(self, settings: Settings, routes: Sequence[Route]) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._died = threading.Event()
        self._ready = False
        self._consumers = [self._consumer(route) for route in routes]
        self._threads = [
            threading.Thread(target=self._consume, args=(consumer,), name=route.job, daemon=True)
            for route, consumer in zip(routes, self._consumers, strict=True)
        ]

    def stop(self) -> None:
        """Ask all consumers to finish what they polled, commit and end."""
        self._stop.set()

    def run(self) -> int:
        """Run until stopped. Returns the exit status: 0, or 1 when a consumer died or did not end in time."""
        for thread in self._threads:
            thread.start()
        while not self._stop.wait(_LOOK):
            self._say_ready()
        deadline = time.monotonic() + _DRAIN
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        late = [thread.name for thread in self._threads if thread.is_alive()]
        if late:
            note = "offsets are not committed: the last records will be dispatched again, under the same ids"
            _log.error("drain_overdue", jobs=late, seconds=_DRAIN, note=note)
        status = 1 if late or self._died.is_set() else 0
        _log.info("bridge_stopped", status=status)
        return status

    def _say_ready(self) -> None:
        """Once, when every route reads: what is missing until then has a line of its own."""
        if not self._ready and all(consumer.assigned.is_set() for consumer in self._consumers):
            self._ready = True
            _log.info("bridge_ready", jobs=[thread.name for thread in self._threads])

    def _consume(self, consumer: RouteConsumer) -> None:
        try:
            consumer.run()
        except Exception:
            _log.exception("consumer_died", job=threading.current_thread().name)
            self._died.set()
            self._stop.set()

    def _consumer(self, route: Route) -> RouteConsumer:
        own = self._settings.bridge
        broker = Broker(route, self._settings)
        return RouteConsumer(
            route,
            kafka=consumer_config(self._settings, route),
            broker=broker,
            dead_letters=DeadLetters(route, self._settings),
            back_pressure=BackPressure(broker, high=own.high_mark, low=own.low_mark),
            stop=self._stop,
            at_once=own.poll,
            max_bytes=own.max_bytes_per_task,
        )
