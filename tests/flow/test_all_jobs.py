"""Aggregate, assess, reconcile, merge, pre-process and generate at the same time, on the same enrolments."""

import pytest

from tests.flow.conftest import Open
from tests.harness.certificates import each_name_once
from tests.harness.mixed_workload import every_event, exam_course, make_everything
from tests.harness.oracle import expected
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.slow


def test_all_jobs_on_the_same_enrolments(open_installation: Open, packing: dict[str, str]) -> None:
    installation = open_installation(**packing)
    scenario = make_everything(21, learners=20, courses=[exam_course("a"), exam_course("b")])
    installation.seed(scenario)
    installation.system.start_worker()
    installation.system.start_bridge()
    installation.publish(scenario)
    events = every_event(scenario, 21)
    for topic, key, event in events:
        installation.produce_later(topic, key, event)
    installation.flush()
    installation.wait_for(scenario)
    installation.wait_idle()
    each_name_once(installation)
    assert not installation.dead()
    wanted = expected(scenario)
    assert len(installation.registry.entities()) == sum(len(row.certificates) for row in wanted.values()) > 10
    changed = {event["object"]["id"] for topic, _, event in events if topic == "telemetry.audit"}
    users = installation.system.ctx.redis.client("users", "user_cache_updater")
    wait_until(
        lambda: {user for user in changed if users.hget(f"user:{user}", "firstname") == "Asha"} == changed,
        seconds=20,
        what="users in the cache",
    )
