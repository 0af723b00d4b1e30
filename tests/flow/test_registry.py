"""What a registry does wrong: in the end there is one active certificate a name, and the row names it."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from lern_tasks.storage.gateway import PutCells
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import for_job
from tests.flow.conftest import Open
from tests.harness.installation import ISSUE, PROGRESS, Installation
from tests.harness.requests import issue
from tests.harness.scenario import Course, Learner, Scenario, finished, make_course
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.slow

SLOW_REGISTRY = {
    "LERN_HTTP__READ_TIMEOUT": "1",
    # More than the 5 s by which its searches are behind.
    "LERN_COLLECTION_CERTIFICATE_GENERATOR__INDEX_LAG": "6",
    # Ask for the key each time, so that its search can fail each time.
    "LERN_COLLECTION_CERTIFICATE_GENERATOR__KID_EXPIRY": "0",
}

# The switch and its mode for one request, and how often a create is asked for in the end.
FAULTS: Sequence[tuple[str, str, int]] = (
    ("create", "timeout_after_commit", 1),
    ("create", "drop_after_commit", 1),
    ("create", "500_after_commit", 1),
    ("create", "no_osid", 1),
    ("create", "blank_osid", 1),
    ("create", "transaction_id", 1),
    ("create", "500", 2),
    ("create", "503", 2),
    ("create", "timeout", 2),
    ("create", "429", 2),
    ("create", "201", 1),
    ("key_search", "500", 1),
    ("key_search", "blank_result", 1),
)


def learners(course: Course, number: int) -> list[Learner]:
    """Learners who have finished all lessons, which is all that is stored of them."""
    return [
        Learner(
            key=EnrolmentKey(user_id=f"u-{index}", course_id=course.course_id, batch_id=course.batch_id),
            finished=list(course.contents),
            stored=frozenset(course.contents),
        )
        for index in range(number)
    ]


def creates(installation: Installation, learner: Learner) -> int:
    """How often the registry was asked to create a certificate of the learner."""
    asked = installation.registry.requests_to("POST", "/TrainingCertificate")
    return sum(request.body["recipient"]["id"] == learner.key.user_id for request in asked)


def last_lesson(learner: Learner) -> tuple[str, dict[str, Any]]:
    """Kafka key and event of what completes the course."""
    return learner.key.user_id, finished(learner.key, learner.finished)


def named(installation: Installation, learner: Learner) -> list[str]:
    """The ids that the row names."""
    row = (learner.key.user_id, learner.key.course_id, learner.key.batch_id)
    gateway = installation.system.ctx.gateway
    found: Any = gateway.get_many(installation.tables.enrolments, [row], ["issued_certificates"])[row]
    return [element["identifier"] for element in found["issued_certificates"] or ()]


def active(installation: Installation, learner: Learner) -> list[str]:
    """The ids of the learner's active certificates."""
    entities = installation.registry.entities()
    return [e.osid for e in entities if e.document["recipient"]["id"] == learner.key.user_id]


@pytest.mark.parametrize("release", ["1", "2"])
def test_one_active_certificate_a_name_whatever_the_registry_does(open_installation: Open, release: str) -> None:
    """Release 1 answers searches with a list, release 2 with a page object; both are 5 s behind."""
    installation = open_installation(**SLOW_REGISTRY)
    installation.registry.switches.update({"release": release, "search_lag": 5.0})
    course = make_course("a", lessons=1)
    scenario = Scenario(courses=[course], learners=learners(course, len(FAULTS)))
    installation.seed(scenario)
    installation.system.start_worker()
    installation.system.start_bridge()
    installation.publish(scenario)
    switches = installation.registry.switches
    for (switch, mode, _), learner in zip(FAULTS, scenario.learners, strict=True):
        switches.update({switch: mode, f"{switch}_times": 1})
        installation.produce(PROGRESS, [last_lesson(learner)])
        wait_until(lambda name=switch: not switches.as_dict()[f"{name}_times"], seconds=40, what=mode)  # type: ignore[misc]
    installation.wait_for(scenario, seconds=60)
    installation.wait_idle()
    for (_, mode, number), learner in zip(FAULTS, scenario.learners, strict=True):
        assert named(installation, learner) == active(installation, learner), mode
        assert (len(active(installation, learner)), creates(installation, learner)) == (1, number), mode
    reissue(installation, scenario.learners[0])
    assert named(installation, scenario.learners[0]) == active(installation, scenario.learners[0])
    assert len(active(installation, scenario.learners[0])) == 1
    assert not installation.dead()


def reissue(installation: Installation, learner: Learner) -> None:
    """Ask twice for another certificate in place of one that the registry no longer has.

    Release 1 answers the delete of an unknown certificate with 500, release 2 with 404.
    """
    (old,) = active(installation, learner)
    old_registry = for_job(installation.system.settings, "collection_certificate_generator").cert_registry
    installation.apply([PutCells(table=old_registry, key=(old,), cells={"isrevoked": False})])
    httpx.delete(f"{installation.registry.api_url}/TrainingCertificate/{old}", trust_env=False).raise_for_status()
    ids: dict[str, Any] = {"courseId": learner.key.course_id, "batchId": learner.key.batch_id}
    event = issue(learner.key.user_id, reissue=True, **ids)
    installation.produce(ISSUE, [(learner.key.user_id, event), (learner.key.user_id, event)])
    wait_until(lambda: named(installation, learner) not in ([], [old]), seconds=40, what="another certificate")
    wait_until(
        lambda: not any(installation.system.ctx.gateway.get_many(old_registry, [(old,)], ["isrevoked"]).values()),
        seconds=40,
        what="the old registry's row deleted",
    )
    installation.wait_idle()
