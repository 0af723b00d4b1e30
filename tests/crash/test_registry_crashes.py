"""Generators that die between the registry's create and the row."""

from pathlib import Path

import pytest

from lern_tasks.catalogue import QUEUES, queue_name
from lern_tasks.demo.platform.old_registry import OldRegistry
from tests.crash.crash_scenario import check_end, publish_and_produce, wait_ready
from tests.flow.conftest import Open
from tests.harness.certificates import identifiers
from tests.harness.processes import kill_group
from tests.harness.scenario import make_course, make_scenario
from tests.harness.size import only_full, size
from tests.harness.waiting import wait_until
from tests.harness.without_registry import TEMPLATE, without_registry

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.stack]

TIMES = size(8, full=20)
AT_ONCE = TIMES // 2
DOCUMENTS = 6
GENERATE = queue_name("collection_certificate_generator")


def test_deaths_between_create_and_row(open_installation: Open) -> None:
    """Whole workers with several creates under way each (20 in all at full size); none is created again."""
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


@only_full
def test_deaths_between_document_and_row(open_installation: Open, tmp_path: Path) -> None:
    """Without the registry: what the old registry already has under the document's id is adopted."""
    folder = tmp_path / "documents"
    with OldRegistry() as old:
        installation = open_installation(**without_registry(old, folder), LERN_HTTP__READ_TIMEOUT="60")
        scenario = make_scenario(32, learners=DOCUMENTS * 2, courses=[make_course("a", lessons=1)])
        del scenario.learners[DOCUMENTS:]
        installation.seed(scenario)
        installation.platform.add(templates={"0.svg": TEMPLATE})
        system = installation.system
        old.switches.update({"add": "timeout_after_commit", "add_times": DOCUMENTS, "hold": 300.0})
        system.start_worker(queues=",".join(queue for queue in QUEUES if queue != GENERATE))
        worker = system.start_worker(queues=GENERATE, concurrency=DOCUMENTS)
        system.start_bridge()
        publish_and_produce(installation, scenario)
        wait_until(lambda: len(old.rows) == DOCUMENTS, seconds=90, what="every document registered")
        kill_group(worker)
        system.start_worker(queues=GENERATE)
        installation.wait_for(scenario)
        installation.wait_idle()
        stored = {path.stem for path in folder.rglob("*.json")}
        assert identifiers(installation, scenario) == stored == set(old.rows)
        assert len(stored) == system.logs().count("certificate_adopted") == DOCUMENTS
        assert not installation.dead()
