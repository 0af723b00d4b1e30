"""The threads of a bridge: they end together, and the exit status tells how."""

import threading

import pytest
from structlog.testing import capture_logs

from bridge import service as module
from bridge.routes import Route, routes
from bridge.service import Service, consumer_config
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import KafkaSettings
from tests.bridge.doubles import ROUTE


class ScriptedConsumer:
    """Stands for the consumer of a route."""

    dies = ""
    hangs = ""

    def __init__(self, route: Route, *, stop: threading.Event, **_rest: object) -> None:
        self._route = route
        self._stop = stop

    def run(self) -> None:
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


def test_a_stop_ends_all_with_status_0(consumers: type[ScriptedConsumer]) -> None:
    service = _service()
    service.stop()

    assert service.run() == 0


def test_a_consumer_that_dies_ends_the_others_with_status_1(consumers: type[ScriptedConsumer]) -> None:
    consumers.dies = "collection_cert_pre_processor"

    with capture_logs() as logs:
        assert _service().run() == 1

    assert [line["job"] for line in logs if line["event"] == "consumer-died"] == ["collection_cert_pre_processor"]


def test_a_consumer_that_does_not_end_in_time_is_left_with_status_1(
    consumers: type[ScriptedConsumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    consumers.hangs = "relation_cache_updater"
    monkeypatch.setattr(module, "_DRAIN", 0.2)
    service = _service()
    service.stop()

    with capture_logs() as logs:
        assert service.run() == 1

    assert [line["jobs"] for line in logs if line["event"] == "drain-overdue"] == [["relation_cache_updater"]]


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
