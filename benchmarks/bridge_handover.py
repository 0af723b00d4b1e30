"""The bridge beside a bare loop that takes the same records and pushes the same number of messages."""

import json
import time
from pathlib import Path

import redis
from confluent_kafka import Consumer, TopicPartition

from benchmarks.result import Result
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from tests.harness.installation import PROGRESS, Installation, real
from tests.harness.scenario import finished, make_course
from tests.harness.waiting import wait_until
from tests.servers.running import Stack

RECORDS = 60_000
PACKED = 100
STRICT_RECORDS = 5_000


def measure(stack: Stack, directory: Path) -> list[Result]:
    results = []
    for name, records, packed in (("packed", RECORDS, PACKED), ("one record a task", STRICT_RECORDS, 1)):
        place = directory / str(packed)
        place.mkdir()
        settings = {
            "LERN_BRIDGE__RECORDS_PER_TASK": str(packed),
            "LERN_BRIDGE__HIGH_MARK": "1000000",
            "LERN_BRIDGE__LOW_MARK": "900000",
        }
        with real(
            place, kafka=stack.kafka, cassandra=stack.cassandra, appendfsync="always", **settings
        ) as installation:
            _fill(installation, records)
            ceiling = records / _bare_loop(installation, records, packed)
            measured = records / _bridge(installation, records)
        results.append(
            Result(
                what=f"bridge, {name}",
                measured=measured,
                ceiling=ceiling,
                unit="records/s",
                target="at least 50 % of a bare consume-and-push loop",
            )
        )
    return results


def _fill(installation: Installation, records: int) -> None:
    course = make_course("bench")
    events = (
        (key.user_id, finished(key, [f"r{number % 5}"]))
        for number in range(records)
        for key in [EnrolmentKey(user_id=f"u-{number % 997}", course_id=course.course_id, batch_id=course.batch_id)]
    )
    installation.produce(PROGRESS, events)


def _bare_loop(installation: Installation, records: int, packed: int) -> float:
    """Consume, pack into JSON, LPUSH: nothing else, no commit of offsets."""
    client = redis.Redis.from_url(f"{installation.env['LERN_REDIS__URL']}/9")
    consumer = Consumer(
        {
            "bootstrap.servers": installation.kafka,
            "group.id": "bare-loop",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([installation.topic(PROGRESS)])
    first = consumer.poll(30)
    assert first is not None
    start = time.perf_counter()
    done = 1
    while done < records:
        messages = consumer.consume(500, 1.0)
        for index in range(0, len(messages), packed):
            values = [(message.value() or b"").decode() for message in messages[index : index + packed]]
            client.lpush("bare", json.dumps(values))
        done += len(messages)
    elapsed = time.perf_counter() - start
    consumer.close()
    client.flushdb()
    client.close()
    return elapsed


def _bridge(installation: Installation, records: int) -> float:
    """From the first message in the queue to the last committed record, by the queue's own records."""
    client = installation.system.ctx.redis.client("broker")
    queue = "activity-aggregate-updater"
    installation.system.start_bridge("activity_aggregate_updater")
    wait_until(lambda: client.llen(queue), seconds=60, what="the first message")
    start = time.perf_counter()
    handed = _records_in(installation)
    wait_until(lambda: _records_in(installation) >= records, seconds=300, what="all records handed over")
    return (time.perf_counter() - start) * records / max(1, records - handed)


def _records_in(installation: Installation) -> int:
    """Records handed over: the offsets that the bridge has committed."""
    consumer = Consumer(
        {
            "bootstrap.servers": installation.kafka,
            "group.id": installation.system.settings.topic(
                installation.system.settings.activity_aggregate_updater.kafka_groupid
            ),
        }
    )
    try:
        parts = [TopicPartition(installation.topic(PROGRESS), partition) for partition in range(2)]
        return sum(max(0, part.offset) for part in consumer.committed(parts, timeout=10))
    finally:
        consumer.close()
