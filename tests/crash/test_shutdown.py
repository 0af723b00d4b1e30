"""SIGTERM in the middle of the work: what runs and what waits in the worker goes back to the queues."""

import time

import pytest

from lern_tasks.delivery.transport.redis_transport import CLAIMS
from tests.crash.crash_scenario import Process, check_end, counted, publish_and_produce, small
from tests.flow.conftest import Open
from tests.harness.size import size
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.stack]

SOON = 30.0
"""Seconds for the end: 3 of soft shutdown, and the way there on a slow machine."""


def test_a_stopping_worker_gives_everything_back(open_installation: Open) -> None:
    installation = open_installation(LERN_BRIDGE__RECORDS_PER_TASK="1")
    scenario = small(61, learners=size(20, full=50), lessons=10)
    installation.seed(scenario)
    system = installation.system
    worker = system.start_worker()
    system.start_bridge()
    publish_and_produce(installation, scenario)
    broker = system.ctx.redis.client("broker")

    def stop(process: Process) -> None:
        process.terminate()
        process.wait(timeout=SOON)
        assert not broker.hlen("unacked")
        assert not broker.hlen(CLAIMS)

    for part in (1, 2):
        goal = part * len(scenario.events()) // 3
        wait_until(lambda goal=goal: counted(installation) >= goal, seconds=120, what="work")  # type: ignore[misc]
        begun = time.monotonic()
        stop(worker)
        assert time.monotonic() - begun < SOON
        worker = system.start_worker()
    check_end(installation, scenario)
