"""Kafka: one KRaft node, broker and controller in one process."""

import base64
import uuid
from pathlib import Path
from typing import ClassVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.servers import java
from tests.servers.ports import free_ports
from tests.servers.process import OwnServer
from tests.servers.server import accepts

# Megabytes: the broker alone needs about 100; the rest is for records of a load test.
_HEAP = 320


class KafkaServer(OwnServer):
    """One Kafka node without automatic topics: tests create the topics they use."""

    name: ClassVar[str] = "kafka"
    # Starts in about 3 s on two free cores, in 5 after a crash; the rest is for a busy machine.
    start_seconds: ClassVar[float] = 90

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._port, self._controller_port = free_ports(2)

    @property
    def address(self) -> str:
        """`127.0.0.1:port`: a client's `bootstrap.servers`."""
        return f"127.0.0.1:{self._port}"

    def _prepare(self) -> None:
        data = self._directory / "data"
        values = {"port": self._port, "controller_port": self._controller_port, "data": data}
        java.write_configuration("kafka.properties", self._properties, values)
        java.write_configuration("log4j.properties", self._logging, {})
        # What `kafka.tools.StorageTool format` writes, without the second that a Java program takes for it.
        data.mkdir()
        java.write_configuration(
            "meta.properties", data / "meta.properties", {"cluster": _uuid(), "directory": _uuid()}
        )

    def _command(self) -> list[str]:
        return [*self._java(), "kafka.Kafka", str(self._properties)]

    def _environment(self) -> dict[str, str]:
        return java.environment("kafka")

    def _is_ready(self) -> bool:
        if not accepts(self._port):
            return False
        # log_level 0: a refused connection is expected here and would be printed on standard error.
        client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        try:
            cluster = client.list_topics(timeout=2)
        except KafkaException:
            return False
        # After a restart the broker is known a moment before it leads its partitions again.
        partitions = [partition for topic in cluster.topics.values() for partition in topic.partitions.values()]
        return bool(cluster.brokers) and all(partition.leader != -1 for partition in partitions)

    def _java(self) -> list[str]:
        return [java.java(), f"-Xmx{_HEAP}m", *java.QUICK_START, f"-Dlog4j.configuration=file:{self._logging}"]

    @property
    def _properties(self) -> Path:
        return self._directory / "kafka.properties"

    @property
    def _logging(self) -> Path:
        return self._directory / "log4j.properties"


def _uuid() -> str:
    """A random id in Kafka's form."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
