"""The mock cluster, by its C interface and by the public configuration."""

from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from lern_tasks.demo.servers import kafka as embedded_kafka
from lern_tasks.demo.servers.kafka import Kafka, parse_topics


def _partitions(kafka: Kafka) -> dict[str, int]:
    topics = Producer({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in topics.items()}


def test_carries_records_from_a_producer_to_a_group() -> None:
    with Kafka({"t": 2}) as kafka:
        producer = Producer({"bootstrap.servers": kafka.bootstrap})
        for number in range(100):
            producer.produce("t", str(number), partition=number % 2)
        assert producer.flush(10) == 0
        consumer = Consumer(
            {
                "bootstrap.servers": kafka.bootstrap,
                "group.id": "g",
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 10,
                "session.timeout.ms": 2000,
            }
        )
        consumer.subscribe(["t"])
        try:
            values: list[int] = []
            while len(values) < 100:
                record = consumer.poll(10)
                assert record is not None
                assert record.error() is None
                values.append(int(record.value() or b""))
        finally:
            consumer.close()
    assert sorted(values) == list(range(100))


def test_without_the_c_interface_topics_get_four_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_kafka, "find_library", lambda: None)
    with Kafka({"a": 1, "b": 7}) as kafka:
        assert _partitions(kafka) == {"a": 4, "b": 4}


def test_a_topic_that_the_library_refuses_is_named() -> None:
    class Twice(dict[str, int]):
        def items(self) -> Any:
            return [("t", 1), ("t", 2)]

    with pytest.raises(RuntimeError, match=r"topic t with 2 partitions: .*already exists"):
        Kafka(Twice())


def test_topics_are_read_from_one_argument() -> None:
    assert parse_topics("dev.a:4,dev-b,dev_c:1") == {"dev.a": 4, "dev-b": 1, "dev_c": 1}
    assert parse_topics("") == {}


@pytest.mark.parametrize("text", ["a:0", "a:x", "a:-1", "a b:1", "a:1,a:2", ":3", "a:1001", "é:1"])
def test_a_bad_topic_argument_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        parse_topics(text)
