"""SIGTERM ends a worker within the 30 s that orchestrators wait, whatever hangs, and once its tasks have ended."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lern_tasks.delivery.record import Record
from tests.harness.processes import System
from tests.harness.size import FULL, only_full, size
from tests.harness.waiting import wait_until
from tests.servers.redis import RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.stack]

IN_TIME = 30.0
"""Seconds that an orchestrator waits before it kills."""

QUEUE = "activity-aggregate-updater"
SKIPPED = '{"edata": {"action": "another"}}'


@pytest.fixture
def server(tmp_path: Path, redis_server: object) -> Iterator[RedisServer]:
    """A Redis of this test's own; skipped where none is to be had."""
    del redis_server
    made = RedisServer(tmp_path / "redis")
    made.start()
    yield made
    if made.alive:
        signal_to(made, signal.SIGCONT)
    made.stop()


def signal_to(server: RedisServer, number: signal.Signals) -> None:
    """Freeze a server, or let it go on."""
    os.kill(server.pid, number)


def opened(server: RedisServer, tmp_path: Path, **env: str) -> System:
    return System(tmp_path, {"LERN_REDIS__URL": server.address, "LERN_STORE": f"sqlite:{tmp_path / 's.sqlite'}", **env})


def send(system: System, task_id: str) -> None:
    system.ctx.sender.send("activity_aggregate_updater", [Record(value=SKIPPED, topic="dev.test")], task_id=task_id)


def ready(system: System) -> None:
    send(system, "first")
    wait_until(lambda: "task_id=first" in system.logs(), seconds=60, what="a first task")


def ended_after(worker: "subprocess.Popen[bytes]", system: System) -> float:
    begun = time.monotonic()
    worker.terminate()
    try:
        worker.wait(IN_TIME)
    except subprocess.TimeoutExpired:
        pytest.fail(f"not within {IN_TIME:g} s of SIGTERM: {system.logs()[-3000:]}")
    return time.monotonic() - begun


@pytest.mark.parametrize("how", ["idle", "busy", "away"] if FULL else ["idle"])
@pytest.mark.parametrize("attempt", range(size(1, full=5)))
def test_without_redis(server: RedisServer, tmp_path: Path, how: str, attempt: int) -> None:
    """Frozen while the worker is idle, or while its task stores its result; or gone."""
    del attempt
    system = opened(server, tmp_path)
    broker = system.ctx.redis.client("broker")
    try:
        worker = system.start_worker(queues=QUEUE)
        ready(system)
        if how == "idle":
            wait_until(lambda: not broker.hlen("unacked"), seconds=10, what="the first task's acknowledgement")
        if how != "away":
            signal_to(server, signal.SIGSTOP)
        else:
            server.kill()
        ended_after(worker, system)
        assert "Hitting Ctrl+C" not in system.logs()
        assert "worker: stopping" in system.logs()
    finally:
        if server.alive:
            signal_to(server, signal.SIGCONT)
        system.stop()


def test_under_load_nothing_stays_with_a_stopped_worker(server: RedisServer, tmp_path: Path) -> None:
    system = opened(server, tmp_path)
    broker = system.ctx.redis.client("broker")
    try:
        for attempt in range(size(1, full=50)):
            worker = system.start_worker(queues=QUEUE)
            for number in range(size(300, full=1000)):
                send(system, f"{attempt}-{number}")
            wait_until(lambda a=attempt: f"task_id={a}-20 " in system.logs(), seconds=60, what="work")  # type: ignore[misc]
            seconds = ended_after(worker, system)
            assert not broker.hlen("unacked")
            # Its tasks take milliseconds: the 20 s of the soft shutdown are not slept out.
            assert seconds < system.settings.tasks.soft_shutdown
            broker.delete(QUEUE)
    finally:
        system.stop()


def test_the_message_of_a_killed_child_is_back_at_once(server: RedisServer, tmp_path: Path) -> None:
    """Long before the visibility timeout, after which those of a dead worker come."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        kafka = f"127.0.0.1:{silent.getsockname()[1]}"
        system = opened(server, tmp_path, LERN_KAFKA__BROKERS=kafka, LERN_KAFKA__DELIVERY_TIMEOUT="1")
        try:
            worker = system.start_worker(queues=QUEUE, concurrency=1)
            system.ctx.sender.send("activity_aggregate_updater", [Record(value="x", topic="dev.test")], task_id="waits")
            waits = "waiting_for_dependency"
            wait_until(lambda: waits in system.logs(), seconds=60, what="a task that waits for Kafka")
            (child,) = map(int, Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split())
            os.kill(child, signal.SIGKILL)
            soon = system.settings.visibility_timeout / 3
            wait_until(lambda: system.logs().count(waits) > 1, seconds=soon, what="the message in another child")
        finally:
            system.stop()


VALUES = {
    "KAFKA__BROKERS": "no event",
    "CASSANDRA__PORT": '{"edata": {"action": "batch-enrolment-update", "userId": "u", "courseId": "c", "batchId": "b",'
    ' "contents": [{"contentId": "x", "status": 2}]}}',
}
"""What makes a task wait for each: a dead letter for Kafka, progress for Cassandra."""


@only_full
@pytest.mark.parametrize("attempt", range(5))
@pytest.mark.parametrize("how", ["frozen", "away"])
@pytest.mark.parametrize("variable", VALUES)
def test_while_a_task_waits_for(server: RedisServer, tmp_path: Path, variable: str, how: str, attempt: int) -> None:
    del attempt
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        port = silent.getsockname()[1]
        if how == "away":
            silent.close()
        address = f"127.0.0.1:{port}" if variable.startswith("KAFKA") else str(port)
        store = "cassandra" if variable.startswith("CASSANDRA") else f"sqlite:{tmp_path / 's.sqlite'}"
        env = {"LERN_STORE": store, "LERN_CASSANDRA__HOSTS": "127.0.0.1"}
        system = opened(server, tmp_path, **env, **{f"LERN_{variable}": address})
        try:
            worker = system.start_worker(queues=QUEUE)
            ready(system)
            system.ctx.sender.send(
                "activity_aggregate_updater", [Record(value=VALUES[variable], topic="dev.test")], task_id="waits"
            )
            wait_until(lambda: system.ctx.redis.client("broker").hlen("unacked"), seconds=30, what="the task")
            ended_after(worker, system)
            assert system.ctx.redis.client("broker").llen(QUEUE) == 1
        finally:
            system.stop()
