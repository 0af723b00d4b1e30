"""A Kafka for the tests: the embedded one, or a real one, behind the same few calls."""

import json
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import wait

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from bridge.routes import Route, routes
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import KafkaSettings

PARTITIONS = 4
"""As many as the embedded Kafka gives a topic that it makes by itself."""

_QUICK = {"heartbeat.interval.ms": "500", "topic.metadata.refresh.interval.ms": "1000"}
# What the embedded Kafka asks for, and the shortest session that a real broker allows by default.
EMBEDDED = {**_QUICK, "fetch.wait.max.ms": "10", "session.timeout.ms": "2000"}
REAL = {**_QUICK, "session.timeout.ms": "6000"}


class Kafka:
    """One cluster; each test takes an environment of its own, and with it topics and groups of its own."""

    def __init__(self, address: str, *, embedded: bool) -> None:
        self.address = address
        self.embedded = embedded
        self._properties = EMBEDDED if embedded else REAL
        self._producer = Producer({"bootstrap.servers": address, "linger.ms": 0, "log_level": 0})
        self.env = "unset"

    def new_environment(self) -> None:
        """Topics and groups that no other test knows."""
        self.env = f"t{uuid.uuid4().hex[:12]}"

    def settings(self, **properties: str) -> Settings:
        """Settings that lead here."""
        kafka = KafkaSettings(brokers=self.address, properties={**self._properties, **properties}, delivery_timeout=5)
        return Settings(env=self.env, kafka=kafka)

    def route(self, job: str = "activity_aggregate_updater") -> Route:
        """The route of `job` here."""
        return next(route for route in routes(self.settings()) if route.job == job)

    def environment(self, **properties: str) -> dict[str, str]:
        """The same settings as environment variables."""
        return {
            "LERN_ENV": self.env,
            "LERN_KAFKA__BROKERS": self.address,
            "LERN_KAFKA__DELIVERY_TIMEOUT": "5",
            "LERN_KAFKA__CONSUMER_PROPERTIES": json.dumps({**self._properties, **properties}),
        }

    def create(self, *topics: str) -> None:
        """Create topics of four partitions."""
        if self.embedded:
            for topic in topics:
                self._producer.list_topics(topic, timeout=10)
            return
        admin = AdminClient({"bootstrap.servers": self.address})
        wait(admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics]).values(), timeout=30)

    def produce(
        self, topic: str, values: Iterable[bytes | None], *, partition: int | None = None, key: bytes | None = None
    ) -> None:
        """Produce `values`, round robin or to `partition`, and wait until all are stored."""
        for index, value in enumerate(values):
            target = index % PARTITIONS if partition is None else partition
            self._producer.produce(topic, value=value, key=key, partition=target)
        assert self._producer.flush(30) == 0

    def committed(self, route: Route) -> dict[int, int]:
        """The group's offset of each partition that it has committed."""
        reader = Consumer({"bootstrap.servers": self.address, "group.id": route.group, "log_level": 0})
        try:
            places = reader.committed([TopicPartition(route.topic, number) for number in range(PARTITIONS)], timeout=10)
            return {place.partition: place.offset for place in places if place.offset >= 0}
        finally:
            reader.close()

    def read(self, topic: str, count: int) -> Sequence[Message]:
        """The first `count` messages of `topic`."""
        reader = Consumer({"bootstrap.servers": self.address, "group.id": uuid.uuid4().hex, "log_level": 0})
        try:
            reader.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
            return reader.consume(count, timeout=20)
        finally:
            reader.close()
