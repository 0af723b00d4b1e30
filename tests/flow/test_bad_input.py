"""Whatever is sent on any topic: it is kept as a dead letter, nothing stops, and it can be replayed."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from lern_tasks.connections.files import Files
from lern_tasks.delivery import dead_letter
from lern_tasks.storage.gateway import ReplaceCollection
from lern_tasks.sunbird.table_names import for_job
from tests.flow.conftest import Open
from tests.harness.bad_events import of_topic
from tests.harness.installation import ASSESS, GENERATE, ISSUE, MERGE, PROGRESS, PUBLISHED, SYNC, Installation
from tests.harness.mixed_workload import attempt, merged, sync
from tests.harness.processes import ROOT
from tests.harness.requests import generate, issue
from tests.harness.scenario import Course, Scenario, finished, make_course, make_scenario
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.slow

FAILED_OF = {
    PUBLISHED: "lern.tasks.failed",
    SYNC: "enrolment.reconciliation.failed",
    MERGE: "learning.events.failed",
    ASSESS: "telemetry.assess.failed",
    PROGRESS: "activity.agg.failed",
    ISSUE: "issue.certificate.failed",
    GENERATE: "generate.certificate.failed",
}

Letters = dict[tuple[str, int, int], tuple[Any, Any]]


def good_events(scenario: Scenario) -> dict[str, dict[str, Any]]:
    """An event that each job takes."""
    key, course = scenario.learners[0].key, scenario.courses[0]
    ids: dict[str, Any] = {"courseId": key.course_id, "batchId": key.batch_id}
    return {
        PUBLISHED: course.published(),
        PROGRESS: finished(key, [course.contents[0]]),
        ISSUE: issue(key.user_id, **ids),
        GENERATE: generate(course.templates[0], key=key),
        SYNC: sync(key),
        MERGE: merged(key.user_id, "other"),
        ASSESS: attempt(key, course.contents[0], 1, score=1, at_ms=1_700_000_000_000),
    }


def produce_bad(installation: Installation, scenario: Scenario) -> dict[str, list[bytes | None]]:
    """Produce every bad event of every topic, each with a key of its own; the values by topic."""
    produced: dict[str, list[bytes | None]] = {}
    for suffix, good in good_events(scenario).items():
        bad = of_topic(suffix, good)
        installation.produce(suffix, list(bad.items()))
        produced[suffix] = list(bad.values())
    return produced


def letters(installation: Installation, suffix: str) -> Letters:
    """The dead letters of a failed topic by the coordinates that their headers tell: the record and the failure."""
    files = Files(installation.system.settings.files.url)
    found: Letters = {}
    for message in installation.messages(suffix):
        record, failure = dead_letter.from_message(message.headers(), message.value(), message.key(), files)
        found[record.topic, record.partition or 0, record.offset or 0] = (record, failure)
    return found


def test_bad_input_becomes_dead_letters_and_stops_nothing(open_installation: Open) -> None:
    installation = open_installation()
    scenario = make_scenario(3, learners=8, courses=[make_course("a")])
    installation.seed(scenario)
    processes = [installation.system.start_worker(), installation.system.start_bridge()]
    produced = produce_bad(installation, scenario)
    # The next events are processed: of every topic, since these certificates need all four jobs.
    installation.publish(scenario)
    installation.produce(PROGRESS, scenario.events())
    installation.wait_for(scenario, seconds=60)
    installation.wait_idle()
    assert [process.poll() for process in processes] == [None, None]
    assert "WorkerLost" not in installation.system.logs()
    for suffix, values in produced.items():
        check(installation, suffix, values)


def check(installation: Installation, suffix: str, values: list[bytes | None]) -> None:
    """Every value is in a dead letter, with its key and coordinates as they are on the topic."""
    found = letters(installation, FAILED_OF[suffix])
    sent = {(m.topic(), m.partition(), m.offset()): m for m in installation.messages(suffix)}
    bad = {place: message for place, message in sent.items() if message.value() in values}
    assert len(bad) == len(values)
    missing = [message.key() for place, message in bad.items() if place not in found]
    assert not missing, f"no dead letter on {suffix}: {missing}"
    assert set(found) == set(bad), "a dead letter of a good event"
    for place, message in bad.items():
        record, failure = found[place]
        assert (record.raw(), record.raw_key()) == (message.value(), message.key())
        assert (failure.code, failure.attempts) == ("INVALID_EVENT", 1), (message.key(), failure)


def lern(installation: Installation, *arguments: str) -> Any:
    """What the command line prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "lern_tasks.cli", *arguments, "--json"],
        env={**os.environ, **installation.env},
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def set_templates(installation: Installation, course: Course, templates: Mapping[str, Mapping[str, str]]) -> None:
    table = for_job(installation.system.settings, "collection_cert_pre_processor").course_batch
    installation.apply(
        [
            ReplaceCollection(
                table=table, key=(course.course_id, course.batch_id), column="cert_templates", value=templates
            )
        ]
    )


def test_a_mended_cause_and_a_replay_bring_the_certificate(open_installation: Open) -> None:
    installation = open_installation()
    course = make_course("a", lessons=1)
    scenario = make_scenario(0, learners=1, courses=[course], stored_share=0)
    (learner,) = scenario.learners
    installation.seed(scenario)
    good = course.template_rows("https://templates.example")
    set_templates(installation, course, {n: {**t, "issuer": '{"name": "State Council"}'} for n, t in good.items()})
    installation.system.start_worker()
    installation.system.start_bridge()
    installation.publish(scenario)
    installation.produce(PROGRESS, scenario.events())

    wait_until(lambda: installation.messages("issue.certificate.failed"), seconds=40, what="a dead letter")
    (letter,) = lern(installation, "dead-letters", "list", "--user", learner.key.user_id)
    assert (letter["job"], letter["code"]) == ("collection_cert_pre_processor", "INVALID_EVENT")
    assert "tpl_0" in letter["error"]
    assert "issuer.url" in letter["error"]
    assert not installation.registry.entities()

    set_templates(installation, course, good)
    arguments = ("dead-letters", "replay", "--user", learner.key.user_id)
    assert [result["outcome"] for result in lern(installation, *arguments)] == ["replayed"]
    installation.wait_for(scenario)
    assert len(installation.registry.entities()) == 1
    assert [result["outcome"] for result in lern(installation, *arguments)] == ["replayed before"]
    installation.wait_idle()
    assert len(installation.dead()) == len(installation.registry.entities()) == 1
