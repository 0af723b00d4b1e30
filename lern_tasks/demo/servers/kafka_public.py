"""The mock cluster by confluent-kafka's public configuration, where its C interface is out of reach.

See docs/architecture.md, section "Embedded".
"""

from collections.abc import Iterable

from confluent_kafka import KafkaException, Producer

# The broker is a thread of this process; it answers within milliseconds.
_START_SECONDS = 10.0


class PublicCluster:
    """One mock broker; every topic gets 4 partitions. Raises RuntimeError if it cannot be made."""

    def __init__(self, topics: Iterable[str]) -> None:
        # The broker lives as long as this client, which needs an address that it never uses.
        self._client = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "127.0.0.1:9", "log_level": 0})
        try:
            brokers = self._client.list_topics(timeout=_START_SECONDS).brokers
            for topic in topics:
                self._client.list_topics(topic, timeout=_START_SECONDS)
        except KafkaException as error:
            raise RuntimeError(f"librdkafka did not start its mock cluster: {error}") from error
        broker = next(iter(brokers.values()))
        self.bootstrap = f"{broker.host}:{broker.port}"

    def close(self) -> None:
        """Stop the broker, by letting go of the client that owns it."""
        del self._client
