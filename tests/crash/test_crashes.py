"""kill -9 of each kind of process while hundreds of events are under way (2,000 at full size)."""

import json
import os
import signal
from functools import partial

import pytest

from lern_tasks.delivery.record import Record
from tests.crash.crash_scenario import (
    check_end,
    kill_child,
    many_events,
    publish_and_produce,
    skipped,
    small,
    strike_through,
    wait_for_work,
    wait_ready,
)
from tests.flow.conftest import Open
from tests.harness.processes import kill_group
from tests.harness.scenario import finished
from tests.harness.size import only_full, size
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.stack]

# The successor of a dead bridge waits this long for its partitions: the least that a broker allows.
SESSION = {"session.timeout.ms": "6000"}


def test_pool_processes_die(open_installation: Open, packing: dict[str, str]) -> None:
    installation = open_installation(**packing)
    scenario = many_events(11)
    installation.seed(scenario)
    worker = installation.system.start_worker()
    installation.system.start_bridge()
    publish_and_produce(installation, scenario)
    strike_through(installation, scenario, [partial(kill_child, worker)] * size(3, full=6))
    check_end(installation, scenario)


@only_full
def test_whole_workers_die_and_another_goes_on(open_installation: Open) -> None:
    installation = open_installation()
    scenario = many_events(12)
    installation.seed(scenario)
    system = installation.system
    victims = [system.start_worker(concurrency=1) for _ in range(2)]
    system.start_worker()
    system.start_bridge()
    publish_and_produce(installation, scenario)
    strike_through(installation, scenario, [partial(kill_group, victim) for victim in victims])
    check_end(installation, scenario)


@only_full
def test_bridges_die(open_installation: Open) -> None:
    installation = open_installation(LERN_BRIDGE__RECORDS_PER_TASK="5", LERN_KAFKA__PROPERTIES=json.dumps(SESSION))
    scenario = many_events(13)
    installation.seed(scenario)
    installation.system.start_worker()
    bridges = [installation.system.start_bridge()]
    publish_and_produce(installation, scenario)

    def replace() -> None:
        kill_group(bridges[-1])
        bridges.append(installation.system.start_bridge())

    strike_through(installation, scenario, [replace] * size(2, full=3))
    check_end(installation, scenario)


def test_a_bridge_dies_between_push_and_commit(open_installation: Open) -> None:
    """Its offsets are never committed, so that its successor hands everything over again."""
    never = {**SESSION, "auto.commit.interval.ms": "3600000"}
    installation = open_installation(LERN_KAFKA__PROPERTIES=json.dumps(never))
    scenario = many_events(14)
    installation.seed(scenario)
    installation.system.start_worker()
    bridge = installation.system.start_bridge()
    publish_and_produce(installation, scenario)
    wait_for_work(installation, scenario)
    kill_group(bridge)
    assert skipped(installation.system.logs()) < len(scenario.events())

    installation.system.start_bridge()
    wait_until(
        lambda: skipped(installation.system.logs()) >= len(scenario.events()),
        seconds=60,
        what="all events dispatched again, and skipped",
    )
    check_end(installation, scenario)


@only_full
def test_a_frozen_worker_dies_with_a_message_on_its_way(open_installation: Open) -> None:
    """What a worker asked the broker for before it froze is not lost when it never wakes up."""
    installation = open_installation()
    scenario = small(15, learners=20)
    installation.seed(scenario)
    system = installation.system
    frozen = system.start_worker()
    system.start_bridge()
    installation.publish(scenario)
    wait_ready(system, frozen)
    os.killpg(frozen.pid, signal.SIGSTOP)
    for learner in scenario.learners:
        for content in learner.finished:
            record = Record(value=json.dumps(finished(learner.key, [content])), topic="test")
            task_id = f"{learner.key.text}:{content}"
            system.ctx.sender.send("activity_aggregate_updater", [record], task_id=task_id)
    kill_group(frozen)
    system.start_worker()
    check_end(installation, scenario)
