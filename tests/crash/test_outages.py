"""Outages longer than every retry budget: no dead letter, everything drains by itself, other queues go on."""

import os
import signal
from typing import Any

import pytest

from lern_tasks.catalogue import QUEUES, queue_name
from tests.crash.crash_scenario import check_end, counted, log_of, publish_and_produce, small
from tests.flow.conftest import Open
from tests.harness.installation import PROGRESS, Installation
from tests.harness.oracle import expected
from tests.harness.scenario import Scenario
from tests.harness.size import only_full, size
from tests.harness.waiting import wait_until
from tests.servers.process import OwnServer

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.stack]

BUDGET = {"LERN_TASKS__RETRIES": "2", "LERN_HTTP__READ_TIMEOUT": "0.5", "LERN_HTTP__CONNECT_TIMEOUT": "1"}
"""Two retries, of 0.2 and 0.8 s at most."""

GENERATE = queue_name("collection_certificate_generator")
OTHERS = ",".join(queue for queue in QUEUES if queue != GENERATE)
BEYOND = 3
"""Times that the registry is asked in the outage, after the first: more than the two retries of a budget."""


def probes(installation: Installation) -> int:
    """How often an operation that is out was asked whether it is back."""
    return max((breaker.probes for breaker in installation.system.ctx.breakers.out().values()), default=0)


def waits(installation: Installation, name: str) -> int:
    """How often a task said that it waits for `name`."""
    lines = installation.system.logs().splitlines()
    return sum("waiting_for_dependency" in line and f"dependency={name}" in line for line in lines)


@pytest.mark.parametrize("how", [pytest.param("refuses", marks=only_full), "hangs"])
def test_registry(open_installation: Open, how: str) -> None:
    """Progress goes on with its own workers."""
    installation = open_installation(**BUDGET)
    scenario = small(51, learners=8)
    installation.seed(scenario)
    system, registry = installation.system, installation.registry
    if how == "refuses":
        registry.stop()
    else:
        registry.switches.latency = 30.0
    system.start_worker(queues=OTHERS)
    generator = system.start_worker(queues=GENERATE, concurrency=4)
    system.start_bridge()
    publish_and_produce(installation, scenario)
    wait_until(lambda: counted(installation) == len(scenario.events()), seconds=90, what="progress in an outage")
    _check_progress(installation, scenario)
    wait_until(lambda: probes(installation) >= BEYOND, seconds=120, what="certificates that probe")
    assert log_of(system, generator).count("outage_began") == 1
    if how == "refuses":
        registry.start()
    else:
        registry.switches.latency = 0.0
    check_end(installation, scenario)


def _check_progress(installation: Installation, scenario: Scenario) -> None:
    rows, wanted = installation.rows(scenario), expected(scenario)
    assert all(rows[name].status == wanted[name].status for name in wanted)
    assert not any(row.certificates for row in rows.values())


def begin(installation: Installation, scenario: Scenario) -> list[tuple[str, dict[str, Any]]]:
    """Start, publish, and have half of the lessons under way; the other half, which is left for the outage."""
    installation.seed(scenario)
    installation.system.start_worker()
    installation.system.start_bridge()
    installation.publish(scenario)
    events = scenario.events()
    half = len(events) // 2
    installation.produce(PROGRESS, events[:half])
    wait_until(lambda: counted(installation), seconds=60, what="work under way")
    return events[half:]


def test_redis(open_installation: Open) -> None:
    """Broker, locks, markers and relations at once; its append-only file keeps what it had."""
    installation = open_installation(**BUDGET)
    scenario = small(52, learners=size(40, full=100), lessons=10)
    left = begin(installation, scenario)
    server = installation.redis_server
    assert server is not None
    server.kill()
    installation.produce(PROGRESS, left)
    # 2 and 4 s have passed by then.
    logs = installation.system.logs
    wait_until(lambda: "Trying again in 6.00" in logs(), seconds=60, what="a worker that tries to connect")
    server.start()
    check_end(installation, scenario)


def test_cassandra(open_installation: Open, own_cassandra: OwnServer) -> None:
    installation = open_installation(cassandra=own_cassandra.address, **BUDGET)
    scenario = small(53, learners=size(40, full=100), lessons=10)
    left = begin(installation, scenario)
    own_cassandra.stop()
    installation.produce(PROGRESS, left)
    wait_until(lambda: waits(installation, "cassandra") >= 4, seconds=90, what="tasks that wait")
    own_cassandra.start()
    check_end(installation, scenario)


def test_kafka(open_installation: Open, own_kafka: OwnServer) -> None:
    """The worker stands still until Kafka is down, so that it has messages whose audits it cannot send."""
    installation = open_installation(kafka=own_kafka.address, **BUDGET, LERN_KAFKA__DELIVERY_TIMEOUT="2")
    scenario = small(54, learners=size(40, full=100), lessons=10)
    left = begin(installation, scenario)
    (worker, _) = installation.system.processes
    installation.wait_idle()
    os.killpg(worker.pid, signal.SIGSTOP)
    installation.produce(PROGRESS, left)
    broker = installation.system.ctx.redis.client("broker")
    wait_until(lambda: broker.llen("activity-aggregate-updater"), seconds=60, what="messages before the worker")
    own_kafka.stop()
    os.killpg(worker.pid, signal.SIGCONT)
    wait_until(lambda: waits(installation, "kafka") >= 2, seconds=90, what="tasks that wait")
    own_kafka.start()
    check_end(installation, scenario)
