"""Who earns which certificate: outcomes of the task, and the event that it sends."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ACTIVITY_AGG, COURSE_BATCH
from tests.harness import golden
from tests.harness.course import KEY, batch, enrol
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.requests import issue
from tests.jobs.certificates.rules.certificates import issued, texts

JOB: Final = "collection_cert_pre_processor"
NEXT: Final = "collection_certificate_generator"
FAILED = "issue.certificate.failed"
COMPLETED = datetime(2024, 2, 29, tzinfo=UTC)
CLOUD = {
    "LERN_COLLECTION_CERT_PRE_PROCESSOR__CLOUD_STORAGE_CNAME_URL": "https://obj.dev.sunbirded.org",
    "LERN_COLLECTION_CERT_PRE_PROCESSOR__CONTENT_CLOUD_STORAGE_CONTAINER": "sunbird-content-staging",
    "LERN_COLLECTION_CERT_PRE_PROCESSOR__CERT_DOMAIN_URL": "https://dev.sunbirded.org",
}


def ask(chain: Chain, *users: str, **edata: Any) -> dict[str, int]:
    return chain.run(JOB, chain.record(issue(*(users or ("u1",)), **edata)))


def test_the_event_for_the_generator_is_the_documented_one(make_chain: MakeChain) -> None:
    chain = make_chain(**CLOUD)
    batch(chain, "Course Merit")
    enrol(chain, status=2, completedon=COMPLETED)
    assert ask(chain)["done"] == 1
    (sent,) = chain.sender.to(NEXT)
    (record,) = sent.records
    assert json.loads(record.value or "") == golden.GENERATE
    assert (record.topic, record.key) == ("dev.generate.certificate.request", "u1_do_c1_b1")


def test_a_flink_job_as_the_next_stage_gets_the_same_event(make_chain: MakeChain) -> None:
    chain = make_chain(**CLOUD, LERN_COLLECTION_CERTIFICATE_GENERATOR__HAND_OFF="kafka")
    batch(chain, "Course Merit")
    enrol(chain, status=2, completedon=COMPLETED)
    ask(chain)
    assert chain.events("dev.generate.certificate.request") == [golden.GENERATE]
    assert not chain.sender.sent


C1 = issued(("Course Merit", "c1"))


@pytest.mark.parametrize(("old_id", "asked"), [("c1", ["c1"]), ("c0", []), ("", ["c1", "p1"])])
def test_one_certificate_alone_is_issued_again(chain: Chain, old_id: str, asked: list[str]) -> None:
    batch(chain, "Course Merit", "Participation")
    enrol(chain, status=2, issued_certificates=issued(("Course Merit", "c1"), ("Participation", "p1")))
    ask(chain, reissue=True, oldId=old_id)
    assert [event["edata"]["oldId"] for event in chain.sent_events(NEXT)] == asked


@pytest.mark.parametrize(
    ("cells", "reissue", "old_id"),
    [
        ({"status": 2}, False, ""),
        ({"status": 2, "issued_certificates": C1}, False, None),
        ({"status": 2, "issued_certificates": C1}, True, "c1"),
        ({"status": 2, "issued_certificates": issued(("COURSE MERIT", "c1"))}, False, None),
        ({"status": 2, "issued_certificates": issued(("Participation", "p1"))}, False, ""),
        ({"status": 2}, True, ""),
        ({"status": 1}, False, None),
        ({"status": 2, "active": False}, False, None),
        (None, False, None),
    ],
)
def test_the_enrolment_decides(chain: Chain, cells: dict[str, Any] | None, reissue: bool, old_id: str | None) -> None:
    batch(chain, "Course Merit")
    if cells is not None:
        enrol(chain, **cells)
    counts = ask(chain, reissue=reissue)
    events = chain.sent_events(NEXT)
    assert [event["edata"]["oldId"] for event in events] == ([] if old_id is None else [old_id])
    assert counts == {"done": len(events), "skipped": 1 - len(events), "again": 0, "dead": 0}


@pytest.mark.parametrize(
    ("figures", "criterion", "earned"),
    [
        ({"score:do_q": 6.0, "max_score:do_q": 8.0}, {">=": 75}, True),
        ({"score:do_q": 6.0, "max_score:do_q": 8.0}, {">=": 75.5}, False),
        ({"score:do_q": 6.0, "max_score:do_q": 10.0}, {">=": 50, "<=": 55}, False),
        ({}, {">=": 1}, False),
        ({}, {"<=": 40}, True),
    ],
)
def test_scores_decide(chain: Chain, figures: dict[str, float], criterion: dict[str, float], earned: bool) -> None:
    batch(chain, "Course Merit", criteria={"assessment": {"score": criterion}})
    enrol(chain, status=2)
    if figures:
        chain.put(ACTIVITY_AGG, ("Course", "do_c1", "u1", "cb:b1"), aggregates=figures)
    chain.ctx.redis.client("metadata").set("do_q", json.dumps({"contentType": "SelfAssess"}))
    assert ask(chain)["done"] == earned
    # A template without criterion of enrolment is issued once all the same.
    enrol(chain, issued_certificates=C1)
    assert ask(chain)["done"] == 0


@pytest.mark.parametrize(
    ("user", "earned"),
    [
        ({"firstName": "Asha", "rootOrgId": "01"}, True),
        ({"firstName": "Asha", "rootOrgId": "02"}, False),
        ({"blocked": True}, False),
    ],
)
def test_the_user_decides(chain: Chain, user: dict[str, Any], earned: bool) -> None:
    batch(chain, "Course Merit", criteria={"enrollment": {"status": 2}, "user": {"rootOrgId": "01"}})
    enrol(chain, status=2)
    chain.platform.add(users={"u1": user})
    assert ask(chain) == {"done": int(earned), "skipped": int(not earned), "again": 0, "dead": 0}


def test_many_users_become_a_task_each(chain: Chain) -> None:
    users = ("u1", "u2", "u3")
    for user in users:
        key = EnrolmentKey(user_id=user, course_id=KEY.course_id, batch_id=KEY.batch_id)
        batch(chain, "Course Merit", key=key)
        enrol(chain, key, status=2, issued_certificates=C1)
    chain.send(JOB, chain.record(issue(*users, "u1", reissue=True)))
    chain.drain()
    assert sorted(event["edata"]["userIds"][0] for event in chain.sent_events(JOB)[1:]) == sorted(users)
    generated = {event["edata"]["userId"]: event["edata"]["oldId"] for event in chain.sent_events(NEXT)}
    assert generated == dict.fromkeys(users, "c1")


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"issuer": {"name": "State Council"}}, "issuer.url"),
        ({"issuer": {"url": "https://council.example/"}}, "issuer.name"),
        ({"criteria": "{"}, "criteria"),
        ({"criteria": {}}, "criteria"),
        ({"additionalProps": {"enrollment": ["no_such_column"]}}, "no_such_column"),
    ],
)
def test_a_malformed_template_keeps_no_other_from_being_issued(
    chain: Chain, broken: dict[str, Any], field: str
) -> None:
    batch(chain, "Course Merit")
    templates = {
        "tpl_bad": texts(identifier="tpl_bad", name="Participation", **broken),
        "tpl_good": texts(identifier="tpl_good"),
        "tpl_old": texts(identifier="tpl_old", name="Old", url="https://cdn.example/old.pdf"),
    }
    chain.put(COURSE_BATCH, ("do_c1", "b1"), cert_templates=templates)
    enrol(chain, status=2)
    assert ask(chain)["dead"] == 1
    assert [event["edata"]["templateId"] for event in chain.sent_events(NEXT)] == ["tpl_good"]
    (letter,) = chain.published.to(FAILED)
    error = dict(letter.headers)["lern-error"].decode()
    assert "tpl_bad" in error
    assert field in error


def test_a_batch_without_templates_is_skipped(chain: Chain) -> None:
    enrol(chain, status=2)
    assert ask(chain)["skipped"] == 1


def test_an_enrolment_completed_by_others_without_a_date_is_issued_on_the_events_day(chain: Chain) -> None:
    batch(chain, "Course Merit")
    enrol(chain, status=2)
    ask(chain)
    (event,) = chain.sent_events(NEXT)
    assert event["edata"]["issuedDate"] == "2024-02-29"


def test_one_user_that_the_service_cannot_give_delays_no_other(chain: Chain) -> None:
    other = EnrolmentKey(user_id="u2", course_id=KEY.course_id, batch_id=KEY.batch_id)
    batch(chain, "Course Merit")
    for key in (KEY, other):
        enrol(chain, key, status=2)
    counts = chain.run(JOB, chain.record(issue("u2")), chain.record(issue("u1")))
    assert counts == {"done": 1, "skipped": 0, "again": 0, "dead": 1}
    assert [event["edata"]["userId"] for event in chain.sent_events(NEXT)] == ["u1"]
