"""A Flink job as one of the stages: a plain Kafka client plays it, in both directions."""

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Consumer

from lern_tasks.storage.gateway import PutCells
from tests.flow.conftest import Open
from tests.harness.installation import GENERATE, ISSUE, PROGRESS, Installation
from tests.harness.oracle import expected
from tests.harness.requests import generate, issue
from tests.harness.scenario import Learner, Scenario, make_course, make_scenario
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.slow

BY_KAFKA = {
    "LERN_COLLECTION_CERT_PRE_PROCESSOR__HAND_OFF": "kafka",
    "LERN_COLLECTION_CERTIFICATE_GENERATOR__HAND_OFF": "kafka",
}

PUBLISHER, AGGREGATOR, PRE_PROCESSOR, GENERATOR = (
    "relation_cache_updater",
    "activity_aggregate_updater",
    "collection_cert_pre_processor",
    "collection_certificate_generator",
)


@contextmanager
def reader(installation: Installation, suffix: str) -> Iterator[Consumer]:
    """A consumer of its own on a topic, from the beginning."""
    consumer = Consumer(
        {
            "bootstrap.servers": installation.kafka,
            "group.id": f"flink-{suffix}",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,
        }
    )
    consumer.subscribe([installation.topic(suffix)])
    try:
        yield consumer
    finally:
        consumer.close()


def take(consumer: Consumer, number: int) -> list[Any]:
    """The next messages of a topic, when there are so many, with different users."""
    found: dict[bytes | None, Any] = {}

    def enough() -> bool:
        for message in consumer.consume(100, 0.2):
            assert message.error() is None
            found.setdefault(message.key(), message)
        return len(found) >= number

    wait_until(enough, seconds=40, what=f"{number} messages")
    return list(found.values())


def completing(scenario: Scenario) -> list[Learner]:
    wanted = expected(scenario)
    return [learner for learner in scenario.learners if wanted[learner.key.text].completed]


def flink(event: dict[str, Any], mid: str) -> dict[str, Any]:
    """The envelope as the Flink jobs write it: a random mid, and fields that only they have."""
    envelope = {
        "eid": "BE_JOB_REQUEST",
        "ets": 1700000000123,
        "mid": f"{mid}.{uuid.uuid4()}",
        "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.learning.platform"}},
        "trace": {},
    }
    return event | envelope


def test_flink_as_the_pre_processor(open_installation: Open) -> None:
    """Our aggregator > topic > the client > topic > our generator."""
    installation = open_installation(**BY_KAFKA)
    scenario = make_scenario(11, learners=12, courses=[make_course("a")])
    installation.seed(scenario)
    installation.system.start_worker()
    installation.system.start_bridge(PUBLISHER, AGGREGATOR, GENERATOR)
    installation.publish(scenario)
    installation.produce(PROGRESS, scenario.events())
    learners = {learner.key.user_id: learner.key for learner in completing(scenario)}
    with reader(installation, ISSUE) as consumer:
        messages = take(consumer, len(learners))
    for message in messages:
        check_issue_event(json.loads(message.value()), message.key().decode(), scenario)
    certificates = [
        (None, flink(generate("Course Merit", key=learners[message.key().decode()]), "LMS")) for message in messages
    ]
    # Twice: the Flink job repeats its events after a restart.
    installation.produce(GENERATE, certificates * 2)
    installation.wait_for(scenario)
    installation.wait_idle()
    assert len(installation.registry.entities()) == len(learners) > 4
    assert not installation.dead()


def check_issue_event(event: dict[str, Any], user_id: str, scenario: Scenario) -> None:
    """Field by field what the Flink job reads."""
    course = scenario.courses[0]
    mid, ets = event.pop("mid"), event.pop("ets")
    assert re.fullmatch(rf"LP\.{ets}\.[0-9a-f-]{{36}}", mid)
    assert event == {
        "eid": "BE_JOB_REQUEST",
        "actor": {"id": "Course Certificate Generator", "type": "System"},
        "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}},
        "object": {"id": f"{course.batch_id}_{course.course_id}", "type": "CourseCertificateGeneration"},
        "edata": {
            "userIds": [user_id],
            "action": "issue-certificate",
            "iteration": 1,
            "trigger": "auto-issue",
            "batchId": course.batch_id,
            "reIssue": False,
            "courseId": course.course_id,
        },
    }


def complete(installation: Installation, scenario: Scenario) -> None:
    """The rows that a Flink aggregator has written."""
    done = {"status": 2, "completedon": datetime(2024, 2, 29, tzinfo=UTC)}
    installation.apply(
        [
            PutCells(
                table=installation.tables.enrolments,
                key=(learner.key.user_id, learner.key.course_id, learner.key.batch_id),
                cells=done,
            )
            for learner in scenario.learners
        ]
    )


def test_flink_as_aggregator_and_generator(open_installation: Open) -> None:
    """The client > topic > our pre-processor > topic > the client."""
    installation = open_installation(**BY_KAFKA)
    scenario = make_scenario(12, learners=6, courses=[make_course("a")])
    course = scenario.courses[0]
    installation.seed(scenario)
    complete(installation, scenario)
    installation.system.start_worker()
    installation.system.start_bridge(PRE_PROCESSOR)
    ids: dict[str, Any] = {"courseId": course.course_id, "batchId": course.batch_id}
    # Without reIssue, as the course service sends a first issue.
    events = [issue(learner.key.user_id, **ids) for learner in scenario.learners]
    for event in events:
        del event["edata"]["reIssue"]
    installation.produce(ISSUE, [(None, flink(event, "LP.1700000000123")) for event in events])
    with reader(installation, GENERATE) as consumer:
        messages = take(consumer, len(scenario.learners))
    found = {event["edata"]["userId"]: event for event in (json.loads(message.value()) for message in messages)}
    assert set(found) == {learner.key.user_id for learner in scenario.learners}
    for number, learner in enumerate(scenario.learners):
        key, event = learner.key, found[learner.key.user_id]
        name = f"Asha Rao {number}"
        wanted = generate(
            "Course Merit",
            key=key,
            svgTemplate=installation.platform.template_url("0.svg"),
            courseName=f"Course {course.course_id}",
            data=[{"recipientName": name, "recipientId": key.user_id}],
            basePath="http://localhost/certs",
            orgId="org",
        )
        assert event["edata"] == wanted["edata"]
        assert event["actor"] == {"id": "Certificate Generator", "type": "System"}
        assert event["object"] == {"id": key.user_id, "type": "GenerateCertificate"}
        assert event["context"] == {"pdata": {"ver": "1.0", "id": "org.sunbird.learning.platform"}}
        assert re.fullmatch(r"LMS\.[0-9a-f-]{36}", event["mid"])
    assert not installation.dead()


def test_all_stages_by_topics(open_installation: Open) -> None:
    installation = open_installation(**BY_KAFKA)
    scenario = make_scenario(13, learners=10, courses=[make_course("a", optional=1)])
    installation.seed(scenario)
    installation.system.start_worker()
    installation.system.start_bridge()
    installation.publish(scenario)
    installation.produce(PROGRESS, scenario.events())
    installation.wait_for(scenario)
    installation.wait_idle()
    assert len(installation.registry.entities()) == len(completing(scenario))
    assert not installation.dead()
