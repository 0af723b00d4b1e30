from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis as redis_client
from confluent_kafka import Consumer, TopicPartition

from lern_tasks.cli import group_offsets, rewind
from lern_tasks.cli.group_offsets import PartitionPlan
from lern_tasks.connections.kafka import KafkaOut, OutMessage
from lern_tasks.demo.servers.kafka import Kafka
from lern_tasks.demo.servers.redis import Redis
from lern_tasks.settings import Settings
from tests.cli.conftest import Lern
from tests.harness.waiting import wait_until

TOPIC, GROUP = "dev.coursebatch.job.request", "dev-activity-aggregate-group"
JOB = ("--job", "activity-aggregate-updater")


def _consumer(kafka: Kafka, **config: Any) -> Consumer:
    base = {"bootstrap.servers": kafka.bootstrap, "group.id": GROUP, "enable.auto.commit": False, "log_level": 0}
    return Consumer({**base, **config})


@pytest.fixture
def offsets(kafka: Kafka, installation: Settings) -> Iterator[Consumer]:
    """A topic with records, of which the group has committed some; partition 1 was never committed."""
    out = KafkaOut(installation.kafka)
    assert not any(out.publish([OutMessage(topic=TOPIC, value=b"x", key=str(n).encode()) for n in range(40)]))
    out.close()
    consumer = _consumer(kafka)
    consumer.commit(offsets=[TopicPartition(TOPIC, 0, 5)], asynchronous=False)
    yield consumer
    consumer.close()


def _committed(consumer: Consumer) -> list[int]:
    return [place.offset for place in consumer.committed([TopicPartition(TOPIC, p) for p in range(2)], timeout=5)]


def test_the_beginning_is_committed_and_nothing_for_a_partition_that_never_was(
    lern_command: Lern, offsets: Consumer, redis: Redis
) -> None:
    result = lern_command("rewind", *JOB, "--to", "beginning", "--force")
    with redis_client.Redis.from_url(f"{redis.url}/13", decode_responses=True) as dedup:
        assert dedup.hgetall("lern:read-again") == {f"{TOPIC}:0": "5"}
    assert result.exit_code == 0, result.output
    assert "5 records will be read again" in result.output
    assert _committed(offsets)[0] == 0
    assert _committed(offsets)[1] < 0


def test_dry_run_shows_the_table_and_commits_nothing(lern_command: Lern, offsets: Consumer) -> None:
    result = lern_command("rewind", *JOB, "--to", "beginning", "--dry-run")
    assert result.exit_code == 0
    assert GROUP in result.output
    assert "never" in result.output
    assert _committed(offsets)[0] == 5


def test_a_broker_that_does_not_tell_the_members_needs_force(lern_command: Lern, offsets: Consumer) -> None:
    result = lern_command("rewind", *JOB, "--to", "beginning")
    assert result.exit_code == 2
    assert "--force" in result.output
    assert _committed(offsets)[0] == 5


def test_active_members_are_refused(lern_command: Lern, offsets: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewind, "members", lambda *_: 2)
    result = lern_command("rewind", *JOB, "--to", "beginning", "--force")
    assert result.exit_code == 2
    assert "2 members" in result.output
    assert _committed(offsets)[0] == 5


def test_a_member_that_the_broker_did_not_tell_of_is_refused_all_the_same(
    lern_command: Lern, offsets: Consumer, kafka: Kafka
) -> None:
    bridge = _consumer(kafka, **{"session.timeout.ms": 6000, "heartbeat.interval.ms": 500})
    bridge.subscribe([TOPIC])

    def assigned() -> bool:
        bridge.poll(0.1)
        return bool(bridge.assignment())

    wait_until(assigned, seconds=20, what="the bridge has its partitions")
    result = lern_command("rewind", *JOB, "--to", "beginning", "--force")
    bridge.close()
    assert result.exit_code == 2
    assert "stop its bridge" in result.output
    assert _committed(offsets)[0] == 5


def test_without_redis_no_offset_is_moved(lern_command: Lern, offsets: Consumer, redis: Redis) -> None:
    redis.stop()
    assert lern_command("rewind", *JOB, "--to", "beginning", "--force").exit_code == 2
    assert _committed(offsets)[0] == 5


def test_a_job_without_topic_is_named(lern_command: Lern, installation: Settings) -> None:
    result = lern_command("rewind", "--job", "certificate_notification", "--to", "beginning", "--force")
    assert result.exit_code == 2
    assert "activity_aggregate_updater" in result.output


def test_a_time_that_is_none_is_named(lern_command: Lern, installation: Settings) -> None:
    result = lern_command("rewind", *JOB, "--to", "yesterday")
    assert result.exit_code == 2
    assert "yesterday" in result.output


class FakeConsumer:
    """Partition 0 holds the offsets 10 to 99; `found` is the first offset at the time that is asked for."""

    def __init__(self, found: int) -> None:
        self._found = found
        self.asked: list[int] = []

    def get_watermark_offsets(self, _: TopicPartition, timeout: float) -> tuple[int, int]:
        assert timeout
        return 10, 100

    def offsets_for_times(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        assert timeout
        self.asked += [place.offset for place in places]
        return [TopicPartition(places[0].topic, places[0].partition, self._found)]


@pytest.mark.parametrize(
    ("found", "committed", "target", "again"),
    [
        (40, 70, 40, 30),
        (-1, 70, 70, 0),  # nothing since that time: stays
        (90, 70, 70, 0),  # never forward: that would lose records
        (3, 70, 10, 60),  # what is gone cannot be read again
        (40, -1001, None, 0),  # never committed: the bridge begins at the beginning anyway
    ],
)
def test_the_offset_of_a_time(found: int, committed: int, target: int | None, again: int) -> None:
    consumer: Any = FakeConsumer(found)
    moment = datetime(2024, 2, 29, 10, tzinfo=UTC)
    plan = group_offsets._plan(consumer, TopicPartition(TOPIC, 0), committed, moment)
    known = None if committed < 0 else committed
    assert plan == PartitionPlan(partition=0, committed=known, target=target, end=100, begin=10)
    assert plan.again == again
    assert all(asked == int(moment.timestamp() * 1000) for asked in consumer.asked)
