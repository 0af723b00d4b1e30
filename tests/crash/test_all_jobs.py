"""All jobs at once on the same enrolments (500 at full size); one worker loses a child, the other dies wholly."""

from typing import Any

import pytest

from lern_tasks.jobs.progress.rules.content_counts import COMPLETED
from tests.crash.crash_scenario import WORK_SECONDS, kill_child
from tests.flow.conftest import Open
from tests.harness.broker import messages
from tests.harness.certificates import each_name_once, identifiers
from tests.harness.installation import Installation
from tests.harness.mixed_workload import every_event, exam_course, make_everything
from tests.harness.processes import kill_group
from tests.harness.scenario import Scenario
from tests.harness.size import size
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.stack]

ENROLMENTS = size(60, full=500)


class Watch:
    """Looks at every enrolment again and again: who is completed must stay so."""

    def __init__(self, installation: Installation, scenario: Scenario) -> None:
        self._installation = installation
        self._keys = [(each.key.user_id, each.key.course_id, each.key.batch_id) for each in scenario.learners]
        self.completed: set[tuple[str, ...]] = set()

    def look(self) -> int:
        """How many are completed; fails when one is no longer."""
        table = self._installation.tables.enrolments
        rows: Any = self._installation.system.ctx.gateway.get_many(table, self._keys, ["status"])
        now = {key for key, row in rows.items() if row and row["status"] == COMPLETED}
        assert not self.completed - now, "from completed back to in progress"
        self.completed |= now
        return len(now)


def test_all_jobs_with_deaths_in_between(open_installation: Open) -> None:
    installation = open_installation()
    scenario = make_everything(
        31, learners=ENROLMENTS, courses=[exam_course("a", lessons=3), exam_course("b", lessons=3)]
    )
    installation.seed(scenario)
    system = installation.system
    workers = [system.start_worker(concurrency=2) for _ in range(2)]
    system.start_bridge()
    installation.publish(scenario)
    for topic, key, event in every_event(scenario, 31):
        installation.produce_later(topic, key, event)
    installation.flush()
    watch = Watch(installation, scenario)
    wait_until(lambda: watch.look() >= ENROLMENTS // 10, seconds=WORK_SECONDS, what="a tenth completed")
    kill_child(workers[1])
    wait_until(lambda: watch.look() >= ENROLMENTS // 4, seconds=WORK_SECONDS, what="a quarter completed")
    kill_group(workers[0])
    system.start_worker(concurrency=2)
    wait_until(lambda: watch.look() and not _busy(installation), seconds=2 * WORK_SECONDS, what="empty queues")
    installation.wait_for(scenario, seconds=WORK_SECONDS)
    installation.wait_idle(seconds=WORK_SECONDS)
    watch.look()
    assert not installation.dead()
    each_name_once(installation)
    assert identifiers(installation, scenario) == {each.osid for each in installation.registry.entities()}


def _busy(installation: Installation) -> bool:
    broker = installation.system.ctx.redis.client("broker")
    return bool(messages(broker, "activity-aggregate-updater", "merge-user-courses"))
