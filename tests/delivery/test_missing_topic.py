"""A topic that was never made is no outage of Kafka: records go round until it is there, and hold up nobody."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError
from structlog.testing import capture_logs

from lern_tasks.connections.kafka import KafkaOut, OutMessage
from lern_tasks.delivery.batch import Batch
from lern_tasks.delivery.handoff import publish
from lern_tasks.delivery.resources import Resources
from lern_tasks.errors import LernError, PartlyDown
from lern_tasks.settings.shared import KafkaSettings
from tests.harness.fake_resources import FakeResources
from tests.harness.kafka_message import record, run
from tests.harness.processes import settings_of

MISSING = PartlyDown("kafka", "topic t does not exist", part="t")


@pytest.fixture
def ctx(tmp_path: Path) -> FakeResources:
    """The soft limit is far away: nobody may wait for it."""
    return FakeResources(settings_of({"LERN_FILES__URL": tmp_path.as_uri()}), tmp_path)


def no_wait(ctx: FakeResources, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(name: str) -> None:
        raise AssertionError(f"waited in place for {name}")

    monkeypatch.setattr(ctx, "probe", asked)


def test_a_missing_failed_topic_sends_the_record_round_with_one_line_a_round(
    ctx: FakeResources, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_wait(ctx, monkeypatch)
    dead, delays = record("bad"), []
    # Longer than a day: a record is never lost for want of a place.
    while ctx.time_ms < 1_700_000_000_000 + 90_000_000:
        ctx.published.errors = [MISSING]
        with capture_logs() as logs:
            assert run(ctx, lambda batch, _: None, dead) == {
                "done": 0,
                "skipped": 0,
                "again": 1,
                "dead": 0,
                "waiting": 1,
            }
        assert [line["event"] for line in logs if line["log_level"] != "debug"] == ["dead_letters_not_confirmed"]
        sent = ctx.sent.sent[-1]
        (dead,) = sent.records
        delays.append(sent.countdown or 0)
        ctx.time_ms += max(1000, int(delays[-1] * 1000))
    assert delays[0] <= 2
    assert all(30 <= delay <= 60 for delay in delays[20:])
    assert run(ctx, lambda batch, _: None, dead)["dead"] == 1


def test_a_missing_topic_of_what_follows_holds_up_no_child(ctx: FakeResources, monkeypatch: pytest.MonkeyPatch) -> None:
    no_wait(ctx, monkeypatch)

    def body(batch: Batch[str], ctx: Resources) -> None:
        publish(ctx, [OutMessage(topic="t", value=b"{}")])
        batch.open[0].done()

    ctx.published.errors = [MISSING]
    assert run(ctx, body, record("a"))["again"] == 1
    (sent,) = ctx.sent.sent
    assert 0 < (sent.countdown or 0) <= 2
    assert run(ctx, body, *sent.records)["done"] == 1


class Brokers:
    """A producer over brokers that have the topics `there`."""

    def __init__(self, *there: str) -> None:
        self.there = set(there)
        self.produced: list[str] = []

    def produce(self, topic: str, *, on_delivery: Any, **_: Any) -> None:
        self.produced.append(topic)
        on_delivery(None if topic in self.there else KafkaError(KafkaError._UNKNOWN_TOPIC), None)

    def list_topics(self, topic: str, timeout: float) -> Any:
        error = None if topic in self.there else KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        return SimpleNamespace(topics={topic: SimpleNamespace(error=error)})


def test_a_topic_that_was_missing_is_asked_for_before_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    brokers = Brokers("there")
    kafka = KafkaOut(KafkaSettings())
    monkeypatch.setattr(kafka, "_producer", lambda: brokers)

    def published(*topics: str) -> list[type[LernError] | None]:
        errors = kafka.publish([OutMessage(topic=topic, value=b"") for topic in topics])
        return [None if error is None else type(error) for error in errors]

    assert published("t", "there") == [PartlyDown, None]
    assert published("there", "t") == [None, PartlyDown]
    assert brokers.produced == ["t", "there", "there"]
    brokers.there.add("t")
    assert published("t", "there") == [None, None]
    assert published("t") == [None]
