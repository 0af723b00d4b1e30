"""One record that ends its process, among a hundred in one message."""

import pytest

from tests.crash.crash_scenario import small
from tests.crash.poison_app import MARKER
from tests.flow.conftest import Open
from tests.harness.installation import PROGRESS
from tests.harness.scenario import finished
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.stack]

HUNDRED = 100


def test_one_record_kills_its_process_and_99_are_done(open_installation: Open) -> None:
    installation = open_installation()
    scenario = small(41, learners=40)
    installation.seed(scenario)
    events = scenario.events()[: HUNDRED - 1]
    poison = finished(scenario.learners[0].key, [MARKER])
    events.insert(HUNDRED // 2, ("poison", poison))
    # One key for all: one partition, and the bridge starts under a backlog, so that one message takes them all.
    installation.produce(PROGRESS, [("one-key", event) for _, event in events])
    system = installation.system
    system.start_bridge("activity_aggregate_updater")
    queue = "activity-aggregate-updater"
    broker = system.ctx.redis.client("broker")
    wait_until(lambda: broker.llen(queue), seconds=60, what="a message in the queue")
    assert broker.llen(queue) == 1

    system.start_worker(app="tests.crash.poison_app")
    system.start_bridge("relation_cache_updater", "collection_cert_pre_processor", "collection_certificate_generator")
    installation.publish(scenario)
    (letter,) = wait_until(installation.dead, seconds=120, what="a dead letter")
    headers = {name: value.decode() for name, value in letter.headers()}
    assert headers["lern-code"] == "KILLS_ITS_WORKER"
    assert MARKER.encode() in letter.value()

    dedup = system.ctx.redis.client("dedup")
    wait_until(lambda: len(list(dedup.scan_iter("[0-9A-F]*"))) == HUNDRED - 1, seconds=60, what="99 lessons counted")
    installation.wait_idle()
    assert len(installation.dead()) == 1
