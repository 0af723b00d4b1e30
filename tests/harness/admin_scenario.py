"""An installation as an administrator finds it: learners whose lessons are stored and whose progress is stale."""

from typing import Any

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import for_job
from tests.harness.installation import Installation
from tests.harness.scenario import Learner, Scenario, make_course

COLUMNS = ("status", "progress", "issued_certificates")


def open_office(installation: Installation, *, learners: int, started: bool = True) -> Scenario:
    """Seed a course of which every learner has stored all lessons, none of them counted; start what publishes it."""
    course = make_course("office", lessons=2)
    scenario = Scenario(courses=[course])
    for number in range(learners):
        key = EnrolmentKey(user_id=f"u{number:04}", course_id=course.course_id, batch_id=course.batch_id)
        scenario.learners.append(Learner(key=key, finished=[], stored=frozenset(course.contents)))
    installation.seed(scenario)
    if started:
        installation.system.start_bridge("relation_cache_updater")
        installation.publish(scenario)
    return scenario


def row(installation: Installation, key: EnrolmentKey) -> dict[str, Any]:
    """What the enrolment says."""
    table = for_job(installation.system.settings, "enrolment_reconciliation").enrolments
    place = (key.user_id, key.course_id, key.batch_id)
    (found,) = installation.system.ctx.gateway.get_many(table, [place], COLUMNS).values()
    assert isinstance(found, dict), found
    return found


def certificates(installation: Installation, key: EnrolmentKey) -> list[str]:
    """The names of the certificates that the enrolment has."""
    return [element["name"] for element in row(installation, key)["issued_certificates"] or ()]


def arguments(key: EnrolmentKey) -> dict[str, str]:
    """The arguments of a task about one enrolment."""
    return {"user_id": key.user_id, "course_id": key.course_id, "batch_id": key.batch_id}
