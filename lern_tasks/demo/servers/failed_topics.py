"""How many dead letters there are, for a demo that waits for them."""

from confluent_kafka import Consumer, TopicPartition

from lern_tasks.connections.kafka import client_config
from lern_tasks.operations.topics import failed_topics
from lern_tasks.settings import Settings

_SECONDS = 5.0
"""For one answer of the embedded broker."""


class FailedTopics:
    """The failed topics of an installation, which have one partition each in the embedded Kafka."""

    def __init__(self, settings: Settings) -> None:
        self._places = [TopicPartition(name, 0) for name in failed_topics(settings)]
        # Never joins the group: a consumer is what can ask for the end of a partition.
        self._consumer = Consumer({**client_config(settings.kafka), "group.id": "lern-demo", "log_level": 0})

    def count(self) -> int:
        """Messages in all of them. Raises KafkaException when the broker does not answer."""
        return sum(self._consumer.get_watermark_offsets(place, timeout=_SECONDS)[1] for place in self._places)

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()
