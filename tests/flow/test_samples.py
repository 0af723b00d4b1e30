"""The documented sample events through the topics, and what becomes of each."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lern_tasks.catalogue import EventJob
from lern_tasks.delivery import dead_letter
from lern_tasks.storage.gateway import PutCells
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import for_job
from tests.flow.conftest import Open
from tests.harness.consumer_groups import wait_for_group
from tests.harness.installation import ASSESS, FAILED, GENERATE, ISSUE, MERGE, PROGRESS, PUBLISHED, SYNC, Installation
from tests.harness.scenario import Course, Learner, Scenario
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.slow

JOBS: dict[str, EventJob] = {
    PUBLISHED: "relation_cache_updater",
    PROGRESS: "activity_aggregate_updater",
    ISSUE: "collection_cert_pre_processor",
}
"""Which job takes which topic, of those that go by the action."""

OTHERS = (SYNC, MERGE)

SAMPLES = Path(__file__).parents[1] / "samples"


def sample(suffix: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / suffix / "documented.json").read_text("utf-8"))
    return found


def course(course_id: str, batch_id: str, *contents: str, name: str = "Course Merit") -> Course:
    return Course(course_id=course_id, batch_id=batch_id, units={f"{course_id}_un1": contents}, templates=(name,))


def key_of(edata: Mapping[str, Any], user_id: str) -> EnrolmentKey:
    return EnrolmentKey(user_id=user_id, course_id=edata["courseId"], batch_id=edata["batchId"])


def enrolled(key: EnrolmentKey, *finished: str) -> Learner:
    return Learner(key=key, finished=list(finished), stored=frozenset(finished))


def set_completed(installation: Installation, *keys: EnrolmentKey) -> None:
    table = installation.tables.enrolments
    cells = {"status": 2}
    rows = [(key.user_id, key.course_id, key.batch_id) for key in keys]
    installation.apply([PutCells(table=table, key=row, cells=cells) for row in rows])


def certificates(installation: Installation, key: EnrolmentKey) -> list[str]:
    """The names of the certificates in the row, each checked to be in the registry."""
    row = (key.user_id, key.course_id, key.batch_id)
    found: Any = installation.system.ctx.gateway.get_many(
        installation.tables.enrolments, [row], ["issued_certificates"]
    )
    elements = (found[row] or {}).get("issued_certificates") or ()
    active = {stored.osid for stored in installation.registry.entities()}
    assert {element["identifier"] for element in elements} <= active
    return [element["name"] for element in elements]


def test_documented_samples(open_installation: Open) -> None:
    """A published course has relation keys; the lesson completes its course and brings a certificate.

    The other two bring the certificate of a completed enrolment; the one that is no JSON is a dead letter. Samples of
    other jobs, sent to these topics, are passed over.
    """
    installation = open_installation()
    progress, issue, generate = (sample(suffix)["edata"] for suffix in (PROGRESS, ISSUE, GENERATE))
    lesson = progress["contents"][0]["contentId"]
    keys = {
        PROGRESS: key_of(progress, progress["userId"]),
        ISSUE: key_of(issue, issue["userIds"][0]),
        GENERATE: key_of(generate["related"], generate["userId"]),
    }
    courses = [
        course(progress["courseId"], progress["batchId"], lesson),
        course(issue["courseId"], issue["batchId"], "do_2"),
        course(generate["related"]["courseId"], generate["related"]["batchId"], "do_3"),
    ]
    published = course(sample(PUBLISHED)["edata"]["identifier"], "b", "do_1")
    scenario = Scenario(courses=courses, learners=[enrolled(keys[PROGRESS], lesson)])
    installation.seed(
        Scenario(courses=[*courses, published], learners=[*scenario.learners, *map(enrolled, list(keys.values())[1:])])
    )
    set_completed(installation, keys[ISSUE], keys[GENERATE])
    installation.system.start_worker()
    installation.system.start_bridge()
    installation.publish(Scenario(courses=courses))
    stray = (SAMPLES / ISSUE / "invalid" / "stray_json.json").read_bytes()
    installation.produce(ISSUE, [("stray", stray)])
    for suffix in JOBS:
        installation.produce(suffix, [(other, sample(other)) for other in OTHERS])
    for suffix in (PUBLISHED, PROGRESS, ISSUE, GENERATE):
        installation.produce(suffix, [(None, sample(suffix))])

    installation.wait_for(scenario)
    relations = installation.system.ctx.redis.client("relation_cache")
    wait_until(
        lambda: relations.smembers(f"{published.course_id}:{published.course_id}:leafnodes") == {"do_1"},
        seconds=40,
        what="relation keys of the sample",
    )
    wait_until(
        lambda: (
            [certificates(installation, key) for key in keys.values()]
            == [["Course Merit"], ["Course Merit"], ["100PercentCompletionCertificate"]]
        ),
        seconds=40,
        what="a certificate for each sample",
    )
    settings = installation.system.settings
    for suffix, job in JOBS.items():
        wait_for_group(installation, settings.topic(settings.job(job).kafka_groupid), suffix)
    installation.wait_idle()
    assert not installation.messages(SYNC)
    (letter,) = [message for suffix in FAILED for message in installation.messages(suffix)]
    record, failure = dead_letter.from_message(letter.headers(), letter.value(), letter.key())
    assert (letter.topic(), letter.value(), letter.key()) == (
        installation.topic("issue.certificate.failed"),
        stray,
        b"stray",
    )
    assert (record.topic, failure.code) == (installation.topic(ISSUE), "INVALID_EVENT")


def test_documented_samples_of_sync_merge_and_assessment(open_installation: Open) -> None:
    """A sync completes an enrolment, a merge copies one, and a recompute event writes the score of a stored attempt."""
    installation = open_installation()
    synced, merge, assess = sample(SYNC)["edata"], sample(MERGE)["edata"], sample(ASSESS)
    syncing = course(synced["courseId"], synced["batchId"], "do_4")
    exam = course(assess["courseId"], assess["batchId"], assess["contentId"])
    source = EnrolmentKey(user_id=merge["fromAccountId"], course_id=syncing.course_id, batch_id=syncing.batch_id)
    target = replace(source, user_id=merge["toAccountId"])
    learner = Learner(key=key_of(synced, synced["userId"]), finished=["do_4"], stored=frozenset(["do_4"]))
    seeded = [learner, Learner(key=source, finished=["do_4"], stored=frozenset(["do_4"]))]
    installation.seed(Scenario(courses=[syncing, exam], learners=seeded))
    installation.platform.add(users={target.user_id: {"firstName": "Asha", "lastName": "Rao", "rootOrgId": "org"}})
    tables = for_job(installation.system.settings, "assessment_aggregator")
    attempt = (assess["userId"], assess["courseId"], assess["batchId"], assess["contentId"], assess["attemptId"])
    totals = {"total_score": 3.0, "total_max_score": 5.0, "last_attempted_on": datetime(2024, 1, 1, tzinfo=UTC)}
    installation.apply([PutCells(table=tables.assessments, key=attempt, cells=totals)])
    installation.system.start_worker()
    installation.system.start_bridge()
    installation.publish(Scenario(courses=[syncing, exam]))
    for suffix in (SYNC, MERGE, ASSESS):
        installation.produce(suffix, [(None, sample(suffix))])

    for key in (learner.key, target):
        wait_until(
            lambda key=key: certificates(installation, key) == ["Course Merit"],  # type: ignore[misc]
            seconds=40,
            what="a certificate",
        )
    row = ("Course", assess["courseId"], assess["userId"], f"cb:{assess['batchId']}")
    figures: Any = wait_until(
        lambda: installation.system.ctx.gateway.get_many(tables.activity_agg, [row], ["aggregates"])[row],
        seconds=40,
        what="a score",
    )
    assert figures["aggregates"] == {
        f"score:{assess['contentId']}": 3.0,
        f"max_score:{assess['contentId']}": 5.0,
        f"attempts_count:{assess['contentId']}": 1.0,
    }
    installation.wait_idle()
    assert certificates(installation, source) == []
    assert not installation.dead()
