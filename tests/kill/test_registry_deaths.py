"""Generators that die between the registry's create and the row."""

import pytest

from lern_tasks.topics import QUEUES, queue_name
from tests.flow.conftest import Open
from tests.flow.course import make_course, make_scenario
from tests.flow.system import kill_group
from tests.kill.scene import check_end, publish_and_produce, wait_ready
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.stack]

TIMES = 20
AT_ONCE = 10
GENERATE = queue_name("collection_certificate_generator")


def test_twenty_deaths_between_create_and_row(open_installation: Open) -> None:
    """Whole workers with ten creates under way each; the certificates are adopted, none is created again."""
    installation = open_installation(
        LERN_COLLECTION_CERTIFICATE_GENERATOR__SOFT_TIME_LIMIT="10", LERN_HTTP__READ_TIMEOUT="60"
    )
    scenario = make_scenario(31, learners=TIMES * 2, courses=[make_course("a", lessons=1)])
    del scenario.learners[TIMES:]
    installation.seed(scenario)
    registry, system = installation.registry, installation.system
    # The create is committed and its answer never comes: so the worker stands between create and row.
    registry.switches.update({"create": "timeout_after_commit", "create_times": TIMES, "hold": 300.0})
    system.start_worker(queues=",".join(queue for queue in QUEUES if queue != GENERATE))
    system.start_bridge()
    publish_and_produce(installation, scenario)
    for committed in range(AT_ONCE, TIMES + 1, AT_ONCE):
        worker = system.start_worker(queues=GENERATE, concurrency=AT_ONCE)
        wait_ready(system, worker)
        wait_until(
            lambda wanted=committed: len(registry.entities()) >= wanted,  # type: ignore[misc]
            seconds=90,
            what=f"{committed} certificates committed",
        )
        kill_group(worker)
    system.start_worker(queues=GENERATE)
    check_end(installation, scenario)
    assert (len(registry.entities()), registry.entities(deleted=True)) == (TIMES, []), "none is created twice"
    # On a busy machine a worker may be killed before the registry has committed a create of its: that one is repeated.
    repeated = len(registry.requests_to("POST", "/TrainingCertificate")) - TIMES
    assert system.logs().count("certificate_adopted") >= TIMES - repeated > TIMES // 2
