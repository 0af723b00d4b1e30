"""The threads of a bridge: they end together, and the exit status tells how."""

import threading

import pytest
from structlog.testing import capture_logs

from bridge import service as module
from bridge.routes import Route, routes
from bridge.service import Service, consumer_config
from lern_tasks.catalogue import EVENT_JOBS
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import KafkaSettings
from tests.bridge.doubles import ROUTE
from tests.harness.waiting import wait_until


class ScriptedConsumer:
    """Stands for the consumer of a route."""

    dies = ""
    late = ""
    hangs = ""

    def __init__(self, route: Route, *, stop: threading.Event, **_rest: object) -> None:
        self._route = route
        self._stop = stop
        self.assigned = threading.Event()

    def run(self) -> None:
        if self._route.job != self.late:
            self.assigned.set()
        if self._route.job == self.dies:
            raise RuntimeError("bug")
        self._stop.wait(20)
        if self._route.job == self.hangs:
            threading.Event().wait(2)


@pytest.fixture
def consumers(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedConsumer]:
    class Scripted(ScriptedConsumer):
        pass

    monkeypatch.setattr(module, "RouteConsumer", Scripted)
    return Scripted


def _service() -> Service:
    return Service(Settings(), routes(Settings()))


def test_it_says_once_that_it_is_ready_when_every_route_reads(
    consumers: type[ScriptedConsumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.01)
    consumers.late = "relation_cache_updater"
    service = _service()
    (late,) = [consumer for consumer in service._consumers if consumer._route.job == consumers.late]
    running = threading.Thread(target=service.run)
    with capture_logs() as logs:
        running.start()
        others = [consumer for consumer in service._consumers if consumer is not late]
        wait_until(lambda: all(consumer.assigned.is_set() for consumer in others), seconds=30, what="the others read")
        assert [line for line in logs if line["event"] == "bridge_ready"] == []
        late.assigned.set()
        wait_until(lambda: [line for line in logs if line["event"] == "bridge_ready"], seconds=30, what="the line")
        service.stop()
        running.join(30)
    assert [line["jobs"] for line in logs if line["event"] == "bridge_ready"] == [list(EVENT_JOBS)]


def test_a_stop_ends_all_with_status_0(consumers: type[ScriptedConsumer]) -> None:
    service = _service()
    service.stop()

    assert service.run() == 0


def test_a_consumer_that_dies_ends_the_others_with_status_1(consumers: type[ScriptedConsumer]) -> None:
    consumers.dies = "collection_cert_pre_processor"

    with capture_logs() as logs:
        assert _service().run() == 1

    assert [line["job"] for line in logs if line["event"] == "consumer_died"] == ["collection_cert_pre_processor"]


def test_a_consumer_that_does_not_end_in_time_is_left_with_status_1(
    consumers: type[ScriptedConsumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    consumers.hangs = "relation_cache_updater"
    monkeypatch.setattr(module, "_DRAIN", 0.2)
    service = _service()
    service.stop()

    with capture_logs() as logs:
        assert service.run() == 1

    assert [line["jobs"] for line in logs if line["event"] == "drain_overdue"] == [["relation_cache_updater"]]


def test_properties_override_times_but_not_what_delivery_rests_on() -> None:
    properties = {"session.timeout.ms": "6000", "auto.commit.interval.ms": "5", "enable.auto.offset.store": "true"}
    settings = Settings(kafka=KafkaSettings(brokers="k:9092", properties=properties))

    config = consumer_config(settings, ROUTE)

    assert config["bootstrap.servers"] == "k:9092"
    assert config["session.timeout.ms"] == "6000"
    assert config["auto.commit.interval.ms"] == "5"
    assert config["enable.auto.offset.store"] == "false"
    assert config["auto.offset.reset"] == "earliest"
    assert config["isolation.level"] == "read_committed"
