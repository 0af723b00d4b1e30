"""How far a consumer group is."""

from confluent_kafka import Consumer, TopicPartition

from tests.harness.installation import PARTITIONS, Installation
from tests.harness.waiting import wait_until


def wait_for_group(installation: Installation, group: str, suffix: str) -> None:
    """Wait until the group has committed everything that is on the topic now."""
    topic = installation.topic(suffix)
    parts = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    reader = Consumer({"bootstrap.servers": installation.kafka, "group.id": group, "enable.auto.commit": False})
    try:
        ends = [reader.get_watermark_offsets(part, timeout=10)[1] for part in parts]
        # A partition without records has no committed offset.
        wait_until(
            lambda: [max(part.offset, 0) for part in reader.committed(parts, timeout=10)] == ends,
            seconds=40,
            what=f"offsets of {group} at the end of {suffix}",
        )
    finally:
        reader.close()
