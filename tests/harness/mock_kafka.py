"""librdkafka's mock cluster with its switches: a broker that goes away and comes back, answers chosen by the test."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from lern_tasks.demo.servers.kafka_library import MockCluster, find_library

_PRODUCE_API = 0


class MockKafka(MockCluster):
    """One broker on 127.0.0.1 inside this process."""

    def __init__(self) -> None:
        library = find_library()
        if library is None:
            pytest.skip("this wheel of confluent-kafka hides librdkafka's C interface")
        super().__init__(library, {})
        self._pointer = ctypes.c_void_p(self._cluster)

    def create(self, topic: str) -> None:
        """Create a topic of one partition."""
        self._library.rd_kafka_mock_topic_create(self._pointer, topic.encode(), 1, 1)

    def down(self) -> None:
        """Let the broker close its connections and take no new ones."""
        self._library.rd_kafka_mock_broker_set_down(self._pointer, ctypes.c_int32(1))

    def up(self) -> None:
        """Let the broker answer again."""
        self._library.rd_kafka_mock_broker_set_up(self._pointer, ctypes.c_int32(1))

    def refuse_next(self, *errors: int) -> None:
        """Answer the next requests to produce with these error codes, one each."""
        codes = (ctypes.c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._pointer, ctypes.c_int16(_PRODUCE_API), ctypes.c_size_t(len(errors)), codes
        )

    def read(self, topic: str, count: int) -> list[Message]:
        """The first `count` messages of the topic; fails when they do not come."""
        return read(self.bootstrap, topic, count)


@contextmanager
def mock_kafka() -> Iterator[MockKafka]:
    """A mock cluster for one test."""
    cluster = MockKafka()
    try:
        yield cluster
    finally:
        cluster.close()


def read(brokers: str, topic: str, count: int) -> list[Message]:
    """The first `count` messages of partition 0 of a topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "reader",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,
            "log_level": 0,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        messages: list[Message] = []
        while len(messages) < count:
            found = consumer.consume(count - len(messages), timeout=10)
            assert found, f"only {len(messages)} of {count} messages in {topic}"
            assert all(message.error() is None for message in found)
            messages += found
        return messages
    finally:
        consumer.close()
