"""A long task in many messages, whose worker is killed on the way."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from lern_tasks.catalogue import BULK_QUEUE, EVENT_JOBS
from lern_tasks.settings import Settings
from lern_tasks.storage.gateway import Mutation, PutCells
from tests.harness.admin_scenario import open_office
from tests.harness.installation import Installation, embedded
from tests.harness.processes import kill_group
from tests.harness.scenario import Scenario
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.kill]

LEARNERS = 2500
"""More than a quick machine does in one message of a second."""
SHORT_SLICES = {
    **{f"LERN_{job.upper()}__SOFT_TIME_LIMIT": "2" for job in EVENT_JOBS},
    "LERN_TASKS__HARD_LIMIT_MARGIN": "2",
    "LERN_TASKS__VISIBILITY_MARGIN": "2",
}


def state(settings: Settings, task_id: str) -> Mapping[str, Any]:
    """What Celery keeps of the task."""
    found: Mapping[str, Any] = Celery("watcher", backend=settings.redis_url("results")).backend.get_task_meta(task_id)
    return found


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    with embedded(tmp_path, **SHORT_SLICES) as opened:
        yield opened


def test_a_batch_goes_on_where_it_was_when_its_worker_was_killed(installation: Installation) -> None:
    scenario = open_office(installation, learners=LEARNERS, started=False)
    system = installation.system
    (course,) = scenario.courses
    installation.apply(complete(installation, scenario))
    arguments = {"course_id": course.course_id, "batch_id": course.batch_id}
    system.ctx.sender.send_named("lern.issue_batch", arguments, task_id="the-run", queue=BULK_QUEUE)
    worker = system.start_worker(queues=BULK_QUEUE, concurrency=1)

    def done() -> float:
        meta = state(system.settings, "the-run")
        return float(meta["result"]["result"].get("enrolments", 0)) if meta["status"] == "PROGRESS" else 0.0

    seen = wait_until(done, seconds=60, what="progress")
    kill_group(worker)
    assert 0 < seen < LEARNERS
    system.start_worker(queues=BULK_QUEUE, concurrency=1)
    wait_until(lambda: state(system.settings, "the-run")["status"] == "SUCCESS", seconds=120, what="the end")
    result = state(system.settings, "the-run")["result"]
    assert (result["enrolments"], result["learners"], result["failed"]) == (LEARNERS, LEARNERS, 0)
    run = system.ctx.runs.read("the-run")
    assert run is not None
    assert run.slice >= 1


def complete(installation: Installation, scenario: Scenario) -> list[Mutation]:
    """What makes every enrolment a complete one."""
    keys = [(one.key.user_id, one.key.course_id, one.key.batch_id) for one in scenario.learners]
    return [PutCells(table=installation.tables.enrolments, key=key, cells={"status": 2}) for key in keys]
