"""A Redis that answers and refuses writes (a replica after a failover, full, without its replicas) is an outage."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from lern_tasks.delivery.record import Record
from lern_tasks.delivery.task_sender import Sender
from tests.harness.processes import System
from tests.harness.size import FULL
from tests.harness.waiting import wait_until
from tests.servers.redis import RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.stack]

SKIPPED = '{"edata": {"action": "another"}}'
REFUSALS = {
    "read only replica": (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
    "maxmemory": (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
    "NOREPLICAS": (["CONFIG", "SET", "min-replicas-to-write", "1"], ["CONFIG", "SET", "min-replicas-to-write", "0"]),
}
"""What Redis says, and the commands that make it say so and not any more."""


@pytest.fixture
def server(tmp_path: Path, redis_server: object) -> Iterator[RedisServer]:
    """A Redis of this test's own; skipped where none is to be had."""
    del redis_server
    made = RedisServer(tmp_path / "redis")
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("refusal", REFUSALS if FULL else ["read only replica"])
def test_a_worker_works_on_when_redis_takes_writes_again(server: RedisServer, tmp_path: Path, refusal: str) -> None:
    refuse, mend = REFUSALS[refusal]
    system = System(tmp_path, {"LERN_REDIS__URL": server.address, "LERN_STORE": f"sqlite:{tmp_path / 'store.sqlite'}"})
    admin: Any = redis.Redis.from_url(server.address, decode_responses=True)
    try:
        worker = system.start_worker(queues="activity-aggregate-updater", concurrency=1)
        _send(system.ctx.sender, "before")
        wait_until(lambda: "before" in _done(system), seconds=60, what="a first task")
        admin.execute_command(*refuse)
        admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        wait_until(lambda: refusal in system.logs(), seconds=60, what="Redis to have refused the worker's writes")
        # As long as the worker needs to give up on it: it goes on trying.
        wait_until(lambda: system.logs().count(refusal) > 3 or worker.poll() is not None, seconds=60, what="more tries")
        assert worker.poll() is None, system.logs()[-3000:]
        admin.execute_command(*mend)
        _send(system.ctx.sender, "after")
        wait_until(lambda: "after" in _done(system), seconds=120, what="the task that was sent afterwards")
        assert worker.poll() is None
    finally:
        admin.close()
        system.stop()


def _send(sender: Sender, task_id: str) -> None:
    sender.send("activity_aggregate_updater", [Record(value=SKIPPED, topic="dev.test")], task_id=task_id)


def _done(system: System) -> set[str]:
    """The ids of tasks that have ended."""
    return {name for name in ("before", "after") if f"task_id={name}" in system.logs()}
