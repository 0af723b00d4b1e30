"""No message in the broker ends a worker: what cannot be run is parked, and the next message is worked on."""

import json
import random
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.catalogue import queue_name, task_name
from lern_tasks.delivery import parked_messages
from lern_tasks.delivery.transport.task_message import NotATask, check
from lern_tasks.demo.servers.redis import Redis
from tests.harness.broken_messages import broken, good
from tests.harness.broker import messages
from tests.harness.processes import System
from tests.harness.waiting import wait_until

JOB: Final = "activity_aggregate_updater"
QUEUE = queue_name(JOB)
SEED = 20261128
NUMBER = 2000


def _good() -> dict[str, Any]:
    return good(QUEUE, task_name(JOB), [])


@given(st.integers())
def test_whatever_is_wrong_is_told_in_one_way(seed: int) -> None:
    try:
        message = check(broken(random.Random(seed), _good()), QUEUE)
    except NotATask as error:
        told = str(error)
    else:
        told = ""
        assert isinstance(message["headers"]["id"], str)
    assert not told or told.startswith("not a task message: ")


def test_what_celery_sends_is_a_task() -> None:
    assert check(json.dumps(_good()).encode(), QUEUE)["headers"]["task"] == task_name(JOB)


@pytest.mark.slow
def test_no_message_ends_a_worker_or_is_lost(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    with Redis() as server:
        env = {"LERN_REDIS__URL": server.url, "LERN_STORE": f"sqlite:{tmp_path / 'store.sqlite'}"}
        system = System(tmp_path, env)
        try:
            broker, state = system.ctx.redis.client("broker"), system.ctx.redis.client("state")
            broker.lpush(QUEUE, *(broken(rng, _good()) for _ in range(NUMBER)), json.dumps(_good()))
            worker = system.start_worker(queues=QUEUE, concurrency=1)
            wait_until(lambda: not messages(broker, QUEUE), seconds=240, what="an empty broker")
            assert worker.poll() is None
            parked = state.llen(parked_messages.KEY)
            log = system.logs()
        finally:
            system.stop()
    ran = log.count("message_done")
    expired = log.count("Discarding revoked task")
    assert (parked + ran + expired, parked > NUMBER / 2) == (NUMBER + 1, True), (parked, ran, expired)
