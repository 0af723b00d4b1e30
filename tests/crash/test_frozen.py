"""A worker that freezes past the lease of its locks, and workers whose clocks differ."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.crash.crash_scenario import check_end, counted, log_of, publish_and_produce, small, wait_ready
from tests.flow.conftest import Open
from tests.harness.installation import PROGRESS, Installation
from tests.harness.size import only_full, size
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.stack]

SHIFT = Path(__file__).with_name("shifted_clock")


def test_late_writes_of_a_frozen_worker_lose(open_installation: Open) -> None:
    """A worker freezes under its locks, another one goes on with the same enrolments, then the first one wakes up."""
    installation = open_installation(LERN_TASKS__LOCK_LEASE="1")
    scenario = small(21, learners=size(30, full=60), lessons=20)
    installation.seed(scenario)
    system = installation.system
    first = system.start_worker(concurrency=1)
    second = system.start_worker(concurrency=1)
    wait_ready(system, first)
    wait_ready(system, second)
    system.start_bridge()
    installation.publish(scenario)
    os.killpg(second.pid, signal.SIGSTOP)
    installation.produce(PROGRESS, scenario.events())
    _freeze_under_locks(installation, first.pid)
    os.killpg(second.pid, signal.SIGCONT)
    before = counted(installation)
    wait_until(lambda: counted(installation) > before + 100, seconds=60, what="the other worker's progress")
    os.killpg(first.pid, signal.SIGCONT)
    check_end(installation, scenario)
    assert "again=0" in log_of(system, second)
    woken = [line for line in log_of(system, first).splitlines() if "message_done" in line and "again=0" not in line]
    assert woken, "the frozen worker found out that it had lost its locks"


def _freeze_under_locks(installation: Installation, group: int) -> None:
    """Freeze the process group `group` at a moment when it holds locks; then wait until their lease is over."""
    client = installation.system.ctx.redis.client("state")

    def locks() -> list[str]:
        return list(client.scan_iter("lern:lock:progress:*", count=1000))

    def frozen() -> bool:
        os.killpg(group, signal.SIGSTOP)
        if len(locks()) > 1:
            return True
        os.killpg(group, signal.SIGCONT)
        return False

    wait_until(lambda: locks() and frozen(), seconds=60, what="a worker frozen under its locks")
    wait_until(lambda: not locks(), seconds=30, what="the end of the lease")


@only_full
def test_clocks_that_differ_by_five_seconds(open_installation: Open) -> None:
    """Also when certificates have to be looked for: the registry commits without an answer, and its index lags."""
    # A lag that another worker's clock does not shorten below the index's own: 7 - 5 > 1.
    installation = open_installation(LERN_COLLECTION_CERTIFICATE_GENERATOR__INDEX_LAG="7")
    scenario = small(22, learners=size(30, full=60), lessons=10)
    installation.seed(scenario)
    installation.registry.switches.update(
        {"create": "500_after_commit", "create_times": size(10, full=30), "search_lag": 1.0}
    )
    ahead = {"PYTHONPATH": str(SHIFT), "TEST_CLOCK_SHIFT": "5"}
    shown = subprocess.check_output([sys.executable, "-c", "import time; print(time.time())"], env=os.environ | ahead)
    assert float(shown) > time.time() + 3
    installation.system.start_worker(concurrency=1, **ahead)
    installation.system.start_worker(concurrency=1)
    installation.system.start_bridge()
    publish_and_produce(installation, scenario)
    check_end(installation, scenario)
