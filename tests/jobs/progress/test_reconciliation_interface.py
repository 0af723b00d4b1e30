"""What reconciliation tells others, what reaches it from others, and what it takes from its own settings."""

import json
from typing import Any

import pytest

from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, LockBusy
from lern_tasks.jobs.progress.enrolment_reconciliation import Reconciliation
from lern_tasks.jobs.progress.enrolment_reconciliation import reconcile as reconcile_keys
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ACTIVITY_AGG, CONTENT_CONSUMPTION, ENROLMENTS
from tests.harness import golden
from tests.harness.course import KEY, ROW, aggregates, enrol, publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.scenario import finished
from tests.harness.syncs import JOB, REQUIRED, reconcile, store, sync

PREFIX = "LERN_ENROLMENT_RECONCILIATION__"

SYNC = {
    "eid": "BE_JOB_REQUEST",
    "ets": 1700000000000,
    "mid": golden.Like(f"LP\\.1700000000000\\.{golden.UUID}"),
    "actor": {"id": "Course Batch Updater", "type": "System"},
    "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}},
    "object": {"type": "CourseBatchEnrolment", "id": "b1_u1"},
    "edata": {
        "action": "user-enrolment-sync",
        "iteration": 1,
        "batchId": "b1",
        "userId": "u1",
        "courseId": "do_c1",
    },
}


def merged_accounts(**edata: Any) -> dict[str, Any]:
    """The event that the merge of accounts puts on the aggregator's topic."""
    event = finished(KEY, [])
    del event["edata"]["contents"]
    event["edata"] |= {
        "action": "batch-enrolment-sync",
        "reset": ["completionPercentage", "status", "progress"],
        **edata,
    }
    return event


def test_the_events_of_a_completion_are_the_documented_ones(chain: Chain) -> None:
    publish(chain)
    enrol(chain)
    store(chain, REQUIRED)
    reconcile(chain)
    assert chain.events("telemetry.raw") == [golden.COURSE_COMPLETED]
    (sent,) = chain.sender.to("collection_cert_pre_processor")
    (record,) = sent.records
    assert json.loads(record.value or "") == golden.ISSUE
    assert (record.topic, record.key) == ("dev.issue.certificate.request", "u1")
    assert record.origin is not None
    assert (record.origin.topic, record.origin.offset) == ("dev.test", 2)


def test_a_flink_job_as_the_next_stage_gets_the_documented_event(make_chain: MakeChain) -> None:
    chain = make_chain(
        LERN_COLLECTION_CERT_PRE_PROCESSOR__HAND_OFF="kafka",
        **{f"{PREFIX}KAFKA_CERTISSUE_TOPIC": "{env}.certs", f"{PREFIX}KAFKA_AUDIT_TOPIC": "{env}.audits"},
    )
    publish(chain)
    enrol(chain)
    store(chain, REQUIRED)
    reconcile(chain)
    assert chain.events("dev.certs") == [golden.ISSUE]
    assert chain.events("dev.audits") == [golden.COURSE_COMPLETED]
    assert [message.key for message in chain.published.messages] == [b"u1", None]
    assert not chain.sender.sent


@pytest.mark.parametrize("hand_off", ["celery", "kafka"])
def test_syncs_of_merged_accounts_come_here_once(make_chain: MakeChain, hand_off: str) -> None:
    chain = make_chain(**{f"{PREFIX}HAND_OFF": hand_off, f"{PREFIX}KAFKA_INPUT_TOPIC": "{env}.syncs"})
    publish(chain)
    enrol(chain, status=2, progress=3)
    records = [chain.record(merged_accounts()), chain.record(merged_accounts(reconciled=True))]
    counts = chain.run("activity_aggregate_updater", *records)
    assert counts == {"done": 1, "skipped": 1, "again": 0, "dead": 0}
    if hand_off == "kafka":
        (message,) = chain.published.messages
        assert (message.topic, message.key) == ("dev.syncs", b"u1")
        assert json.loads(message.value or b"") == SYNC
        assert not list(chain.sender.to(JOB))
        return
    assert not chain.published.messages
    (sent,) = chain.sender.to(JOB)
    (record,) = sent.records
    assert (record.topic, record.key) == ("dev.syncs", "u1")
    assert json.loads(record.value or "") == SYNC
    assert record.origin == records[0].coordinates


def test_a_sync_of_merged_accounts_recomputes_and_resets_nothing(chain: Chain) -> None:
    publish(chain)
    enrol(chain, status=2, progress=3)
    store(chain, {"r1": 2})
    chain.send("activity_aggregate_updater", chain.record(merged_accounts()))
    chain.drain()
    row = chain.row(ENROLMENTS, ROW)
    assert (row["status"], row["progress"]) == (2, 3)
    assert aggregates(chain) == {"do_c1": 1, "un1": 1}


def test_tables_relations_and_units_are_those_of_its_own_settings(make_chain: MakeChain) -> None:
    names = {"CONTENT_CONSUMPTION": "contents", "USER_ENROLMENTS": "enrolments", "USER_ACTIVITY_AGG": "figures"}
    chain = make_chain(
        LERN_RELATION_CACHE_UPDATER__REDIS_DATABASE_INDEX="7",
        **{
            f"{PREFIX}REDIS_DATABASE_RELATIONCACHE_ID": "7",
            f"{PREFIX}LMS_CASSANDRA_KEYSPACE": "other",
            f"{PREFIX}ACTIVITY_MODULE_AGGS_ENABLED": "false",
            **{f"{PREFIX}LMS_CASSANDRA_{key}_TABLE": name for key, name in names.items()},
        },
    )
    contents, enrolments, figures = (
        table.renamed(keyspace="other", name=name)
        for table, name in zip((CONTENT_CONSUMPTION, ENROLMENTS, ACTIVITY_AGG), names.values(), strict=True)
    )
    publish(chain)
    chain.put(contents, (*ROW, "r1"), status=2)
    chain.put(enrolments, ROW, status=0)
    assert reconcile(chain) == {"done": 1}
    assert chain.row(enrolments, ROW)["progress"] == 1
    assert chain.row(figures, ("Course", "do_c1", "u1", "cb:b1"))["aggregates"] == {"completedCount": 1}
    assert chain.row(figures, ("Course", "un1", "u1", "cb:b1")) == {}
    assert chain.row(ENROLMENTS, ROW) == {}


def other(user: str) -> EnrolmentKey:
    return EnrolmentKey(user_id=user, course_id="do_c1", batch_id="b1")


def found(**changes: Any) -> Reconciliation:
    """What is found of an enrolment that is complete in its row too, with some differences."""
    fields: dict[str, Any] = {
        "exists": True,
        "contents": 3,
        "completed": 3,
        "required": 3,
        "open_contents": (),
        "status_before": 2,
        "status_after": 2,
        "certificate_asked": True,
        "retired": False,
    }
    return Reconciliation(**fields | changes)


def test_administrators_are_told_what_was_found_and_done(chain: Chain) -> None:
    publish(chain)
    chain.platform.add(contents={"do_old": {"status": "Retired"}, "do_new": {"status": "Live"}})
    old, new = (EnrolmentKey(user_id="u1", course_id=course, batch_id="b1") for course in ("do_old", "do_new"))
    begun, nothing, stranger = other("u2"), other("u3"), other("u4")
    for key, status in ((KEY, 1), (begun, 0), (nothing, 0), (old, 1), (new, 1), (other("u5"), 2)):
        enrol(chain, key, status=status)
    for key in (KEY, old, new, other("u5")):
        store(chain, REQUIRED, key)
    for key in (begun, stranger):
        store(chain, {"r1": 2, "r4": 2}, key)
    keys = [KEY, begun, nothing, stranger, old, new, other("u5")]
    answers = reconcile_keys(keys, chain.ctx, cause=chain.record(sync(), topic="lern.reconcile_enrolment"))
    missing = answers.pop(new)
    assert isinstance(missing, LernError)
    assert missing.code == "NOT_YET"
    part: dict[str, Any] = {"contents": 2, "completed": 1, "open_contents": ("r2", "r3"), "certificate_asked": False}
    idle: dict[str, Any] = {"completed": 0, "certificate_asked": False}
    assert answers == {
        KEY: found(status_before=1),
        begun: found(**part, status_before=0, status_after=1),
        nothing: found(contents=0, status_before=0, status_after=0, open_contents=("r1", "r2", "r3"), **idle),
        stranger: found(**part, exists=False, status_before=None, status_after=None),
        old: found(required=0, status_before=1, status_after=1, retired=True, **idle),
        other("u5"): found(),
    }
    assert list(answers) == [key for key in keys if key != new]
    origins = {record.origin.topic for sent in chain.sender.sent for record in sent.records if record.origin}
    assert origins == {"lern.reconcile_enrolment"}


def test_administrators_are_told_of_outages_and_busy_enrolments(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_TASKS__LOCK_WAIT="0")
    publish(chain)
    for key in (KEY, other("u2")):
        enrol(chain, key)
        store(chain, REQUIRED, key)
    chain.ctx.locks.acquire([f"progress:{other('u2').text}"])
    wrong = EnrolmentKey(user_id="", course_id="do_c1", batch_id="b1")
    answers = reconcile_keys([KEY, other("u2"), wrong], chain.ctx, cause=chain.record(sync()))
    assert answers[KEY] == found(status_before=0)
    assert isinstance(answers[other("u2")], LockBusy)
    assert isinstance(answers[wrong], InvalidEvent)
    chain.published.down = True
    enrol(chain, status=1)
    down = reconcile_keys([KEY], chain.ctx, cause=chain.record(sync()))[KEY]
    assert isinstance(down, DependencyDown)
    chain.published.down = False
    # The row is written, the audit was not published: who asks again says so, and it comes.
    assert len(chain.events("telemetry.raw")) == 1
    again = reconcile_keys([KEY], chain.ctx, cause=chain.record(sync()), delivered_before={KEY})
    assert again == {KEY: found()}
    assert chain.events("telemetry.raw") == [golden.COURSE_COMPLETED] * 2
