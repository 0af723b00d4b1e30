"""`python -m bridge` as a process: values through, clean end, crash, outages, messages for its user."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from redis import Redis

from lern_tasks.catalogue import EVENT_JOBS
from lern_tasks.demo.servers.redis import Redis as EmbeddedRedis
from tests.bridge.kafka import PARTITIONS, Kafka
from tests.bridge.process import ROOT, Stack, bridge, stop
from tests.harness.size import FULL, only_full
from tests.harness.waiting import wait_until
from tests.servers.process import OwnServer

VALUES: list[bytes | None] = [b"{}", None, b"\xff\xfe", b"", b"not json", b'{"x": "' + b"y" * 999_000 + b'"}']


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "bridge.log"


def _expected(per_partition: int) -> set[tuple[int | None, int | None]]:
    return {(partition, offset) for partition in range(PARTITIONS) for offset in range(per_partition)}


def test_every_value_passes_unchanged(stack: Stack, log: Path) -> None:
    stack.kafka.produce(stack.kafka.route().topic, VALUES, partition=0, key=b"\xffkey")

    with bridge(stack.environment(), log) as process:
        wait_until(lambda: len(stack.offsets()) >= len(VALUES), seconds=30, what=f"all records; see {log}")
        assert stop(process) == 0

    records = [record for message in stack.messages() for record in message.records]
    assert [record.raw() for record in records] == VALUES
    assert {record.raw_key() for record in records} == {b"\xffkey"}
    assert {record.topic for record in records} == {stack.kafka.route().topic}
    assert all((record.timestamp or 0) > 1_600_000_000_000 for record in records)


def test_strict_mode_is_one_event_one_task(stack: Stack, log: Path) -> None:
    stack.kafka.produce(stack.kafka.route().topic, [b"{}"] * 40)

    with bridge({**stack.environment(), "LERN_BRIDGE__RECORDS_PER_TASK": "1"}, log) as process:
        wait_until(lambda: len(stack.offsets()) >= 40, seconds=30, what=f"40 records; see {log}")
        assert stop(process) == 0

    assert [len(message.records) for message in stack.messages()] == [1] * 40


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=only_full)])
def test_a_signal_drains_so_that_nothing_is_handed_over_twice(stack: Stack, log: Path, number: signal.Signals) -> None:
    stack.kafka.produce(stack.kafka.route().topic, [b"{}"] * 4000)
    # Longer than the test: only the commit at the end counts.
    environment = {
        **stack.environment(**{"auto.commit.interval.ms": "600000"}),
        "LERN_BRIDGE__RECORDS_PER_TASK": "1",
        "LERN_BRIDGE__POLL": "50",
    }

    with bridge(environment, log) as process:
        wait_until(lambda: bool(stack.messages()), seconds=30, what=f"a first record; see {log}")
        started = time.monotonic()
        assert stop(process, number) == 0
        assert time.monotonic() - started < 8
    interrupted = len(stack.offsets())
    with bridge(environment, log) as process:
        wait_until(lambda: len(set(stack.offsets())) >= 4000, seconds=60, what=f"all records; see {log}")
        assert stop(process) == 0

    assert interrupted < 4000, "the signal came before the end"
    assert Counter(stack.offsets()) == Counter(dict.fromkeys(_expected(1000), 1))


@pytest.mark.kill
def test_killed_between_push_and_commit_it_hands_over_again_under_the_same_ids(stack: Stack, log: Path) -> None:
    stack.kafka.produce(stack.kafka.route().topic, [b"{}"] * 40)
    environment = {
        **stack.environment(**{"auto.commit.interval.ms": "600000"}),
        "LERN_BRIDGE__RECORDS_PER_TASK": "1",
    }

    with bridge(environment, log) as process:
        wait_until(lambda: len(stack.offsets()) >= 40, seconds=30, what=f"40 records; see {log}")
        process.kill()
        process.wait()
    before = [message.task_id for message in stack.messages()]
    with bridge(environment, log) as process:
        wait_until(lambda: len(stack.offsets()) >= 80, seconds=60, what=f"40 records again; see {log}")
        assert stop(process) == 0

    again = [message.task_id for message in stack.messages()][40:]
    assert len(set(before)) == 40
    assert set(again) == set(before)
    assert set(stack.offsets()) == _expected(10)


def test_a_broker_that_goes_and_comes_back_costs_nothing(
    embedded_kafka: Kafka, embedded_redis: EmbeddedRedis, log: Path
) -> None:
    stack = Stack(embedded_kafka, f"{embedded_redis.url}/0")
    topic = stack.kafka.route().topic
    stack.kafka.produce(topic, [b"{}"] * 20)

    with bridge(stack.environment(), log) as process:
        wait_until(lambda: len(stack.offsets()) >= 20, seconds=30, what=f"20 records; see {log}")
        embedded_redis.stop()
        stack.kafka.produce(topic, [b"{}"] * 20)
        wait_until(lambda: "paused" in log.read_text(), seconds=30, what=f"a pause; see {log}")
        embedded_redis.start()
        wait_until(lambda: len(stack.offsets()) >= 40, seconds=30, what=f"the other 20; see {log}")
        assert stop(process) == 0

    assert Counter(stack.offsets()) == Counter(dict.fromkeys(_expected(10), 1))


REFUSALS = {
    "read-only": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    "full": ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
    "NOREPLICAS": ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
}


@pytest.mark.stack
@pytest.mark.parametrize("refusal", REFUSALS if FULL else ["read-only"])
def test_a_broker_that_refuses_writes_at_a_reconnect_costs_nothing(
    embedded_kafka: Kafka, own_redis: OwnServer, log: Path, refusal: str
) -> None:
    refuse, mend = REFUSALS[refusal]
    stack = Stack(embedded_kafka, f"{own_redis.address}/9")
    topic = stack.kafka.route().topic
    with Redis.from_url(stack.broker_url) as admin, bridge(stack.environment(), log) as process:
        admin.flushdb()
        stack.kafka.produce(topic, [b"{}"] * 20)
        wait_until(lambda: len(stack.offsets()) >= 20, seconds=30, what=f"20 records; see {log}")
        admin.execute_command(*refuse.split())
        admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        stack.kafka.produce(topic, [b"{}"] * 20)
        wait_until(lambda: "paused" in log.read_text(), seconds=30, what=f"a pause; see {log}")
        admin.execute_command(*mend.split())
        wait_until(lambda: len(set(stack.offsets())) >= 40, seconds=30, what=f"the other 20; see {log}")
        assert process.poll() is None
        assert stop(process) == 0
    assert set(stack.offsets()) == _expected(10)


def test_all_jobs_run_in_one_process_and_each_says_its_route(stack: Stack, log: Path) -> None:
    topics = {job: stack.kafka.route(job).topic for job in EVENT_JOBS}
    stack.kafka.create(*(set(topics.values()) - {stack.kafka.route().topic}))
    for topic in topics.values():
        stack.kafka.produce(topic, [b"{}"] * 4)
    every = [part for job in EVENT_JOBS for part in ("--job", job)]

    with bridge(stack.environment(), log, *every) as process:
        for job in EVENT_JOBS:
            wait_until(
                lambda job=job: sum(len(message.records) for message in stack.messages(job)) >= 4,  # type: ignore[misc]
                seconds=30,
                what=f"4 records of {job}; see {log}",
            )
        assert stop(process) == 0

    lines = [line for line in log.read_text().splitlines() if "] route " in line]
    assert len(lines) == len(EVENT_JOBS)
    assert all(f"topic={topic}" in "".join(lines) for topic in topics.values())
    assert {message.task for job in EVENT_JOBS for message in stack.messages(job)} == {
        f"lern.{job}" for job in EVENT_JOBS
    }


def test_without_kafka_it_waits_says_so_and_still_ends_cleanly(embedded_redis: EmbeddedRedis, log: Path) -> None:
    environment = {**Stack(_Nowhere("127.0.0.1:1", embedded=True), f"{embedded_redis.url}/0").environment()}

    with bridge(environment, log) as process:
        wait_until(lambda: log.exists() and "kafka_away" in log.read_text(), seconds=30, what="the log line")
        assert process.poll() is None
        assert stop(process) == 0

    text = log.read_text()
    assert "LERN_KAFKA__BROKERS" in text
    assert text.count("kafka_away") < 3, "an outage does not flood the log"
    assert len(text.splitlines()) < 20


class _Nowhere(Kafka):
    """An address at which nothing listens."""


def test_metrics_are_served_when_a_port_is_set(embedded_kafka: Kafka, embedded_redis: EmbeddedRedis, log: Path) -> None:
    stack = Stack(embedded_kafka, f"{embedded_redis.url}/0")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stack.kafka.produce(stack.kafka.route().topic, [b"{}"] * 4)

    with bridge({**stack.environment(), "LERN_BRIDGE__METRICS_PORT": str(port)}, log) as process:
        wait_until(lambda: len(stack.offsets()) >= 4, seconds=30, what=f"4 records; see {log}")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
            text = page.read().decode()
        assert stop(process) == 0

    assert 'lern_events_total{job="activity_aggregate_updater",name="bridge-records"} 4.0' in text


def _run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bridge", *arguments],
        env={**Stack(_Nowhere("127.0.0.1:1", embedded=True), "redis://127.0.0.1:1/0").environment(), **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_an_unknown_job_is_refused_with_the_valid_names() -> None:
    run = _run("--job", "activity-agg")

    assert run.returncode == 2
    assert "'activity-agg'" in run.stderr
    assert all(job in run.stderr for job in EVENT_JOBS)
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LERN_BRIDGE__POLL", "many"), ("LERN_BRIDGE__POL", "5"), ("LERN_REDIS__BROKER", "localhost:6379")],
)
def test_a_wrong_setting_is_refused_by_its_name(variable: str, value: str) -> None:
    run = _run(**{variable: value})

    assert run.returncode == 2
    assert variable in run.stderr
    assert "Traceback" not in run.stderr


def test_help_names_the_jobs() -> None:
    run = _run("--help")

    assert run.returncode == 0
    assert all(job in run.stdout for job in EVENT_JOBS)
