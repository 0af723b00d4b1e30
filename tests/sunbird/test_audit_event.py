"""AUDIT telemetry, field by field."""

from typing import Any

import pytest

from lern_tasks.sunbird.audit_event import business_uuid, certificate_audit, content_audit, enrolment_audit
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

KEY = EnrolmentKey(user_id="u1", course_id="do_c1", batch_id="b1")
NOW_MS = 1_700_000_000_123


def without_ids(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its derived ids replaced by the word for what they are."""
    context = {**event["context"], "sid": "<sid>", "did": "<did>"}
    return {**event, "mid": "<mid>", "context": context}


def progress_context(*cdata: dict[str, str]) -> dict[str, Any]:
    return {
        "channel": "in.sunbird",
        "env": "Course",
        "sid": "<sid>",
        "did": "<did>",
        "pdata": {"ver": "3.0", "id": "org.sunbird.learning.platform", "pid": "course-progress-updater"},
        "cdata": list(cdata),
    }


BATCH = {"type": "CourseBatch", "id": "b1"}


@pytest.mark.parametrize(("action", "props"), [("start", ["viewcount"]), ("complete", ["viewcount", "completedcount"])])
def test_content_audit(action: Any, props: list[str]) -> None:
    assert without_ids(content_audit(KEY, "r1", action, now_ms=NOW_MS)) == {
        "actor": {"id": "u1", "type": "User"},
        "eid": "AUDIT",
        "edata": {"props": props, "type": action},
        "ver": "3.0",
        "syncts": NOW_MS,
        "ets": NOW_MS,
        "context": progress_context(BATCH),
        "mid": "<mid>",
        "object": {"id": "r1", "type": "Content", "rollup": {"l1": "do_c1"}},
        "tags": [],
    }


def test_enrolment_audit() -> None:
    assert without_ids(enrolment_audit(KEY, now_ms=NOW_MS)) == {
        "actor": {"id": "u1", "type": "User"},
        "eid": "AUDIT",
        "edata": {"props": ["status", "completedon"], "type": "enrol-complete"},
        "ver": "3.0",
        "syncts": NOW_MS,
        "ets": NOW_MS,
        "context": progress_context(BATCH, {"type": "Course", "id": "do_c1"}),
        "mid": "<mid>",
        "object": {"id": "u1", "type": "User", "rollup": {"l1": "do_c1"}},
        "tags": [],
    }


def test_certificate_audit() -> None:
    assert without_ids(certificate_audit(KEY, "1-9", now_ms=NOW_MS)) == {
        "eid": "AUDIT",
        "ets": NOW_MS,
        "mid": "<mid>",
        "ver": "3.0",
        "actor": {"id": "u1", "type": "User"},
        "context": {
            "channel": "in.ekstep",
            "env": "Course",
            "sid": "<sid>",
            "did": "<did>",
            "pdata": {"ver": "1.0", "id": "org.sunbird.learning.platform", "pid": "course-certificate-generator"},
            "cdata": [BATCH],
        },
        "object": {"id": "1-9", "type": "Certificate", "rollup": {"l1": "do_c1"}},
        "edata": {"props": ["certificates"], "type": "certificate-issued-svg"},
    }


def all_events(now_ms: int) -> list[dict[str, Any]]:
    other = EnrolmentKey(user_id="u1", course_id="do_c1", batch_id="b2")
    return [
        content_audit(KEY, "r1", "start", now_ms=now_ms),
        content_audit(KEY, "r1", "complete", now_ms=now_ms),
        content_audit(KEY, "r2", "start", now_ms=now_ms),
        content_audit(other, "r1", "start", now_ms=now_ms),
        enrolment_audit(KEY, now_ms=now_ms),
        enrolment_audit(other, now_ms=now_ms),
        certificate_audit(KEY, "1-9", now_ms=now_ms),
        certificate_audit(KEY, "1-10", now_ms=now_ms),
    ]


def ids(event: dict[str, Any]) -> tuple[str, str, str]:
    return event["mid"], event["context"]["sid"], event["context"]["did"]


def test_the_same_event_at_another_time_has_the_same_ids() -> None:
    assert [ids(event) for event in all_events(NOW_MS)] == [ids(event) for event in all_events(NOW_MS + 60_000)]


def test_ids_of_different_events_differ() -> None:
    found = [each for event in all_events(NOW_MS) for each in ids(event)]
    assert len(set(found)) == len(found)


def test_ids_stay_the_same_between_versions() -> None:
    # Other ids after an upgrade would make consumers count the events of a redelivery twice.
    event = content_audit(KEY, "r1", "complete", now_ms=NOW_MS)
    assert ids(event) == (
        "LP.AUDIT.a7238f96-7caa-5e74-8f5f-b64966448c23",
        "19fbe441-971d-5b98-b692-02e096b69417",
        "7fe26816-2e4c-5e6b-91cf-7f6406bf4251",
    )


def test_the_audits_of_one_key_share_no_mutable_part() -> None:
    first = content_audit(KEY, "r1", "start", now_ms=NOW_MS)
    first["edata"]["props"].append("changed")
    assert content_audit(KEY, "r1", "start", now_ms=NOW_MS)["edata"]["props"] == ["viewcount"]


@pytest.mark.parametrize("other", [("a", "b:c"), ("a:b", "c", ""), ("a", "b", "c", ""), ('a","b', "c")])
def test_parts_that_join_alike_have_different_uuids(other: tuple[str, ...]) -> None:
    assert business_uuid(*other) != business_uuid("a", "b", "c")
    assert business_uuid(*other) != business_uuid("a:b", "c")
