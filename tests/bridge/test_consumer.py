"""From topic to dispatch: at least once, in order, through outages, rebalances and what cannot be sent."""

import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from bridge.consumer import RouteConsumer
from bridge.packing import TaskMessage
from bridge.publisher import Unsendable
from lern_tasks.errors import DependencyDown, LernError
from lern_tasks.metrics import value
from tests.bridge.doubles import RecordingBroker, RecordingDeadLetters, sorted_per_partition
from tests.bridge.kafka import PARTITIONS, Kafka
from tests.bridge.running import HIGH, LOW, consuming
from tests.harness.waiting import wait_until

JOB = "activity_aggregate_updater"


def _values(count: int, start: int = 0) -> list[bytes | None]:
    return [b"v%d" % number for number in range(start, start + count)]


def _texts(count: int) -> set[str | None]:
    return {f"v{number}" for number in range(count)}


def test_all_records_are_handed_over_in_order_and_committed(kafka: Kafka, broker: RecordingBroker) -> None:
    kafka.produce(kafka.route().topic, _values(400))

    with consuming(kafka, broker):
        wait_until(lambda: len(broker.values) >= 400, seconds=30, what="400 records")

    assert set(broker.values) == _texts(400)
    assert len(broker.values) == 400
    assert sorted_per_partition(broker.places)
    assert len(broker.taken) < 400, "a backlog is packed"
    assert kafka.committed(kafka.route()) == dict.fromkeys(range(PARTITIONS), 100)
    assert broker.closed


def test_strict_mode_is_one_record_a_message(kafka: Kafka, broker: RecordingBroker) -> None:
    kafka.produce(kafka.route().topic, _values(40))

    with consuming(kafka, broker, records=1):
        wait_until(lambda: len(broker.values) >= 40, seconds=30, what="40 records")

    assert {len(message.polled) for message in broker.taken} == {1}
    assert set(broker.values) == _texts(40)


def test_what_is_handed_over_is_counted(embedded_kafka: Kafka, broker: RecordingBroker) -> None:
    before = value("bridge-records", job=JOB), value("bridge-messages", job=JOB)
    embedded_kafka.produce(embedded_kafka.route().topic, _values(10))

    with consuming(embedded_kafka, broker, records=1):
        wait_until(lambda: len(broker.values) >= 10, seconds=30, what="10 records")

    assert (value("bridge-records", job=JOB), value("bridge-messages", job=JOB)) == (before[0] + 10, before[1] + 10)


def test_a_restart_goes_on_where_the_last_run_ended(kafka: Kafka, broker: RecordingBroker) -> None:
    for number in range(3):
        kafka.produce(kafka.route().topic, _values(20, start=20 * number))
        with consuming(kafka, broker):
            wait_until(lambda expected=20 * (number + 1): len(broker.values) >= expected, seconds=30, what="20 records")  # type: ignore[misc]

    assert sorted(broker.values, key=str) == sorted(_texts(60), key=str)


@pytest.mark.slow
def test_an_outage_of_the_broker_pauses_without_a_rebalance_and_loses_nothing(
    kafka: Kafka, broker: RecordingBroker
) -> None:
    kafka.produce(kafka.route().topic, _values(20))
    with capture_logs() as logs, consuming(kafka, broker, properties={"max.poll.interval.ms": "6000"}):
        wait_until(lambda: len(broker.values) >= 20, seconds=30, what="20 records")

        broker.away.set()
        kafka.produce(kafka.route().topic, _values(80, start=20))
        # Longer than max.poll.interval.ms: without polling the group would take the partitions away.
        threading.Event().wait(7.5)
        assert len(broker.values) == 20
        broker.away.clear()
        wait_until(lambda: len(set(broker.values)) >= 100, seconds=30, what="the other 80")

    assert set(broker.values) == _texts(100)
    assert len(broker.values) == 100
    assert sorted_per_partition(broker.places)
    events = [line["event"] for line in logs]
    assert events.count("partitions_assigned") == 1
    assert events.count("paused") == 1
    assert events.count("resumed") == 1
    assert "partitions_lost" not in events


def test_a_broker_away_at_the_start_delays_and_loses_nothing(kafka: Kafka, broker: RecordingBroker) -> None:
    broker.away.set()
    kafka.produce(kafka.route().topic, _values(40))

    with capture_logs() as logs, consuming(kafka, broker):
        wait_until(
            lambda: any(line["event"] == "partitions_assigned" for line in logs), seconds=30, what="an assignment"
        )
        looks = broker.looks
        wait_until(lambda: broker.looks > looks + 5, seconds=30, what="looks at the broker")
        assert broker.values == []
        broker.away.clear()
        wait_until(lambda: len(broker.values) >= 40, seconds=30, what="40 records")

    assert set(broker.values) == _texts(40)
    assert sorted_per_partition(broker.places)


def test_an_uncertain_delivery_is_repeated_with_the_same_id(kafka: Kafka, broker: RecordingBroker) -> None:
    uncertain: list[TaskMessage] = []

    def take_but_break_once(message: TaskMessage) -> LernError | None:
        if uncertain:
            return None
        uncertain.append(message)
        return DependencyDown("broker", "no answer")

    broker.refuse = take_but_break_once
    kafka.produce(kafka.route().topic, _values(100), partition=2)

    with consuming(kafka, broker, records=1):
        wait_until(lambda: len(broker.values) >= 100, seconds=30, what="100 records")

    assert [message.first for message in broker.taken] == list(range(100))
    assert broker.taken[0].task_id == uncertain[0].task_id
    assert kafka.committed(kafka.route()) == {2: 100}


def test_failures_in_the_middle_of_polls_skip_nothing(kafka: Kafka, broker: RecordingBroker) -> None:
    sent = 0

    def break_each_seventh(_message: TaskMessage) -> LernError | None:
        nonlocal sent
        sent += 1
        return DependencyDown("broker", "no answer") if sent % 7 == 0 else None

    broker.refuse = break_each_seventh
    kafka.produce(kafka.route().topic, _values(80))

    with consuming(kafka, broker, records=3):
        wait_until(lambda: len(set(broker.values)) >= 80, seconds=60, what="80 records")

    assert set(broker.values) == _texts(80)
    assert sorted_per_partition(broker.places)
    assert kafka.committed(kafka.route()) == dict.fromkeys(range(PARTITIONS), 20)


def test_a_long_queue_pauses_and_a_short_one_resumes(kafka: Kafka, broker: RecordingBroker) -> None:
    with capture_logs() as logs, consuming(kafka, broker):
        kafka.produce(kafka.route().topic, _values(10))
        wait_until(lambda: len(broker.values) >= 10, seconds=30, what="10 records")

        broker.waiting = HIGH + 1
        wait_until(lambda: any(line["event"] == "paused" for line in logs), seconds=30, what="a pause")
        kafka.produce(kafka.route().topic, _values(10, start=10))
        broker.waiting = LOW + 1
        looks = broker.looks
        wait_until(lambda: broker.looks > looks + 5, seconds=30, what="looks at the queue")
        assert len(broker.values) == 10

        broker.waiting = LOW
        wait_until(lambda: len(broker.values) >= 20, seconds=30, what="the other 10")

    assert set(broker.values) == _texts(20)
    assert len(broker.values) == 20


def test_a_pause_holds_through_an_assignment(
    kafka: Kafka, broker: RecordingBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewound: list[dict[int, int]] = []
    monkeypatch.setattr(RouteConsumer, "_rewind", _and_note(RouteConsumer._rewind, rewound))
    kafka.produce(kafka.route().topic, _values(20))
    broker.waiting = HIGH + 1

    with capture_logs() as logs, consuming(kafka, broker):
        wait_until(
            lambda: any(line["event"] == "partitions_assigned" for line in logs), seconds=30, what="an assignment"
        )
        looks = broker.looks
        wait_until(lambda: broker.looks > looks + 10, seconds=30, what="looks at the queue")
        assert broker.values == []
        assert len(rewound) <= 1, "paused partitions give no records"

        broker.waiting = 0
        wait_until(lambda: len(broker.values) >= 20, seconds=30, what="20 records")

    assert set(broker.values) == _texts(20)
    assert len(broker.values) == 20


def _and_note(
    rewind: Callable[[RouteConsumer, dict[int, int]], None], noted: list[dict[int, int]]
) -> Callable[[RouteConsumer, dict[int, int]], None]:
    def noting(consumer: RouteConsumer, positions: dict[int, int]) -> None:
        noted.append(positions)
        rewind(consumer, positions)

    return noting


@pytest.mark.slow
def test_two_bridges_share_the_partitions_and_lose_nothing_when_one_goes(kafka: Kafka) -> None:
    first, second = RecordingBroker(), RecordingBroker()
    topic, produced = kafka.route().topic, 0

    def produce_until(enough: RecordingBroker) -> None:
        nonlocal produced
        before = len(enough.values)

        def produced_and_taken() -> bool:
            nonlocal produced
            kafka.produce(topic, _values(4, start=produced))
            produced += 4
            return len(enough.values) > before

        wait_until(produced_and_taken, seconds=30, what="records at this bridge")

    with consuming(kafka, first):
        produce_until(first)
        with consuming(kafka, second):
            produce_until(second)
            produce_until(first)
        produce_until(first)
        wait_until(lambda: len(set(first.values + second.values)) >= produced, seconds=30, what="all records")

    assert set(first.values + second.values) == _texts(produced)
    assert {partition for partition, _ in second.places} < set(range(PARTITIONS))
    assert sorted_per_partition(second.places)


def test_only_what_cannot_be_sent_becomes_a_dead_letter(kafka: Kafka, broker: RecordingBroker) -> None:
    def refuse_poison(message: TaskMessage) -> LernError | None:
        if any(polled.record.value == "poison" for polled in message.polled):
            return Unsendable("too large")
        return None

    broker.refuse = refuse_poison
    dead = RecordingDeadLetters(failures=2)
    kafka.produce(kafka.route().topic, [*_values(10), b"poison", *_values(10, start=10)], partition=1)

    with consuming(kafka, broker, dead, records=4):
        wait_until(
            lambda: len(set(broker.values)) >= 20 and bool(dead.taken), seconds=30, what="20 records and a dead letter"
        )

    assert set(broker.values) == _texts(20)
    assert sorted_per_partition(broker.places)
    assert [record.value for record, _ in dead.taken] == ["poison"]
    assert kafka.committed(kafka.route()) == {1: 21}


def test_without_a_confirmed_dead_letter_the_offset_stays(embedded_kafka: Kafka, broker: RecordingBroker) -> None:
    broker.refuse = lambda message: Unsendable("too large") if message.first >= 3 else None
    dead = RecordingDeadLetters(failures=1_000_000)
    embedded_kafka.produce(embedded_kafka.route().topic, _values(10), partition=0)

    with consuming(embedded_kafka, broker, dead, records=1):
        wait_until(lambda: dead.failures < 999_997, seconds=30, what="three attempts")

    assert embedded_kafka.committed(embedded_kafka.route()) == {0: 3}
    assert dead.taken == []


def test_a_bug_ends_the_consumer_and_commits_nothing_behind_it(embedded_kafka: Kafka, broker: RecordingBroker) -> None:

    def fail(message: TaskMessage) -> LernError | None:
        if message.first == 2:
            raise RuntimeError("bug")
        return None

    broker.refuse = fail
    embedded_kafka.produce(embedded_kafka.route().topic, _values(5), partition=0)

    with pytest.raises(RuntimeError, match="bug"), consuming(embedded_kafka, broker, records=1) as running:
        wait_until(lambda: running.failure is not None, seconds=30, what="the failure")

    assert embedded_kafka.committed(embedded_kafka.route()) == {0: 2}


def test_a_missing_topic_is_waited_for_and_says_what_to_type(embedded_kafka: Kafka, broker: RecordingBroker) -> None:
    with capture_logs() as logs, consuming(embedded_kafka, broker):
        wait_until(lambda: any(line["event"] == "topic_missing" for line in logs), seconds=30, what="the log line")
        embedded_kafka.produce(embedded_kafka.route().topic, _values(4))
        wait_until(lambda: len(broker.values) >= 4, seconds=30, what="4 records")

    line = next(line for line in logs if line["event"] == "topic_missing")
    assert line["topic"] == embedded_kafka.route().topic
    assert "lern topics create" in line["todo"]
