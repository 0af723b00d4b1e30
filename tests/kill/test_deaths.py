"""kill -9 of each kind of process while 2,000 events are under way."""

import json
from functools import partial

import pytest

from tests.flow.conftest import Open
from tests.flow.system import kill_group
from tests.kill.scene import check_end, kill_child, publish_and_produce, strike_through, two_thousand

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.stack]

QUICK_GROUP = {
    # The successor of a dead bridge waits this long for its partitions: the least that a broker allows.
    "LERN_KAFKA__CONSUMER_PROPERTIES": json.dumps({"fetch.wait.max.ms": "10", "session.timeout.ms": "6000"})
}


def test_pool_processes_die(open_installation: Open, packing: dict[str, str]) -> None:
    installation = open_installation(**packing)
    scenario = two_thousand(11)
    installation.seed(scenario)
    worker = installation.system.start_worker()
    installation.system.start_bridge()
    publish_and_produce(installation, scenario)
    strike_through(installation, scenario, [partial(kill_child, worker)] * 6)
    check_end(installation, scenario)


def test_whole_workers_die_and_another_goes_on(open_installation: Open, packing: dict[str, str]) -> None:
    installation = open_installation(**packing)
    scenario = two_thousand(12)
    installation.seed(scenario)
    system = installation.system
    victims = [system.start_worker(concurrency=1) for _ in range(2)]
    system.start_worker(concurrency=1)
    system.start_bridge()
    publish_and_produce(installation, scenario)
    strike_through(installation, scenario, [partial(kill_group, victim) for victim in victims])
    check_end(installation, scenario)


def test_bridges_die(open_installation: Open, packing: dict[str, str]) -> None:
    installation = open_installation(**packing, LERN_BRIDGE__POLL="100", **QUICK_GROUP)
    scenario = two_thousand(13)
    installation.seed(scenario)
    installation.system.start_worker()
    bridges = [installation.system.start_bridge()]
    publish_and_produce(installation, scenario)

    def replace() -> None:
        kill_group(bridges[-1])
        bridges.append(installation.system.start_bridge())

    strike_through(installation, scenario, [replace] * 3)
    check_end(installation, scenario)
