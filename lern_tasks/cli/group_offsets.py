"""The committed offsets of a consumer group: where they are, where they were at a time, setting them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from lern_tasks.cli import kafka_admin
from lern_tasks.errors import RefusedByService
from lern_tasks.settings import Settings

_ACTIVE = (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionPlan:
    """One partition: the committed offset (None: never), the offset to go back to, and where it ends and begins."""

    partition: int
    committed: int | None
    target: int | None
    end: int
    begin: int = 0

    @property
    def again(self) -> int:
        """Records that will be read again."""
        return 0 if self.committed is None or self.target is None else self.committed - self.target


def plan(settings: Settings, topic: str, group: str, to: datetime | None) -> list[PartitionPlan]:
    """Where `group` would go back to for the time `to` (None: the beginning); it never goes forward.

    Raises RefusedByService when there is no such topic, DependencyDown("kafka").
    """
    found = kafka_admin.topics(settings).get(topic)
    if found is None:
        raise RefusedByService(f"there is no topic {topic}; see `lern topics check`")
    consumer = kafka_admin.reader(settings, group)
    try:
        partitions = [TopicPartition(topic, number) for number in range(found.partitions)]
        committed = consumer.committed(partitions, timeout=kafka_admin.TIMEOUT)
        return [_plan(consumer, each, at.offset, to) for each, at in zip(partitions, committed, strict=True)]
    except KafkaException as error:
        raise kafka_admin.down(settings, error) from error
    finally:
        consumer.close()


def members(settings: Settings, group: str) -> int | None:
    """How many consumers the group has now; None when the broker does not tell."""
    return members_of(settings, [group], timeout=kafka_admin.TIMEOUT)[group]


def members_of(settings: Settings, groups: Sequence[str], *, timeout: float) -> dict[str, int | None]:
    """How many consumers each group has now; None where the broker does not tell within `timeout` seconds."""
    admin = kafka_admin.client(settings)
    answers = admin.describe_consumer_groups(list(dict.fromkeys(groups)), request_timeout=timeout)
    found: dict[str, int | None] = {}
    for group, answer in answers.items():
        try:
            found[group] = len(answer.result(timeout + 1).members)
        except (KafkaException, TimeoutError):
            found[group] = None
    return found


def set_back(settings: Settings, topic: str, group: str, plans: Sequence[PartitionPlan]) -> None:
    """Commit the targets. Raises RefusedByService when the group has members after all, DependencyDown("kafka")."""
    offsets = [TopicPartition(topic, p.partition, p.target) for p in plans if p.again and p.target is not None]
    consumer = kafka_admin.reader(settings, group)
    try:
        if offsets:
            for place in consumer.commit(offsets=offsets, asynchronous=False):
                if place.error:
                    raise KafkaException(place.error)
    except KafkaException as error:
        if error.args[0].code() in _ACTIVE:
            raise RefusedByService(
                f"group {group} has members: stop its bridge (or Flink job), then try again"
            ) from error
        raise kafka_admin.down(settings, error) from error
    finally:
        consumer.close()


def _plan(consumer: Consumer, partition: TopicPartition, committed: int, to: datetime | None) -> PartitionPlan:
    low, high = consumer.get_watermark_offsets(partition, timeout=kafka_admin.TIMEOUT)
    if committed < 0:
        # Never committed: the bridge starts at the beginning anyway.
        return PartitionPlan(partition=partition.partition, committed=None, target=None, end=high, begin=low)
    target = low
    if to is not None:
        asked = TopicPartition(partition.topic, partition.partition, int(to.timestamp() * 1000))
        found = consumer.offsets_for_times([asked], timeout=kafka_admin.TIMEOUT)[0].offset
        target = high if found < 0 else max(low, found)
    return PartitionPlan(
        partition=partition.partition, committed=committed, target=min(target, committed), end=high, begin=low
    )
