"""Events of the reconciliation's topic."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.delivery.batch import Skipped
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.progress.events import ReconcileRequest, parse_reconcile
from lern_tasks.jobs.progress.sync_request import sync_event
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from tests.harness.malformed import texts

SAMPLE = Path(__file__).parents[2] / "samples" / "batch.enrolment.sync.request" / "documented.json"
KEY = EnrolmentKey(user_id="u1", course_id="do_c1", batch_id="b1")
IDS = {"userId": "u1", "batchId": "b1", "courseId": "do_c1"}


def event(**edata: Any) -> str:
    """An event as the learner service sends it, with these fields of `edata` replaced; ... leaves a field out."""
    fields = {"action": "user-enrolment-sync", "iteration": 1, **IDS, **edata}
    return json.dumps(
        {
            "eid": "BE_JOB_REQUEST",
            "ets": 1_700_000_000_000,
            "mid": "LP.1700000000000.77aa",
            "actor": {"type": "System", "id": "Course Batch Updater"},
            "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}},
            "object": {"type": "CourseBatchEnrolment", "id": "b1_u1"},
            "edata": {name: value for name, value in fields.items() if value is not ...},
        }
    )


def test_the_documented_sample() -> None:
    assert parse_reconcile(SAMPLE.read_text(encoding="utf-8")) == ReconcileRequest(
        key=EnrolmentKey(
            user_id="fbe926ac-a395-40e4-a65b-9b4f711d7642",
            course_id="do_21310287978188800014457",
            batch_id="0131029098223779842",
        )
    )


def test_what_our_own_jobs_send() -> None:
    sent = msgspec.json.encode(sync_event(KEY, now_ms=1_700_000_000_000)).decode()
    assert parse_reconcile(sent) == ReconcileRequest(key=KEY)


@pytest.mark.parametrize("action", ["user-enrolment-sync", "USER-Enrolment-Sync"])
def test_the_action_is_compared_in_any_case(action: str) -> None:
    assert parse_reconcile(event(action=action)) == ReconcileRequest(key=KEY)


@pytest.mark.parametrize("action", ["", "batch-enrolment-sync", "user-enrolment-sync ", None, 2, ["x"], ...])
def test_another_action_or_none_is_skipped_whatever_else_is_there(action: Any) -> None:
    assert parse_reconcile(event(action=action, userId=None, batchId=5)) == Skipped(reason="another action")


@pytest.mark.parametrize("value", [..., None, "", "  ", 5, True, [], {}, "u\x00", "x" * 65_536])
@pytest.mark.parametrize("name", IDS)
def test_an_id_that_is_none_is_invalid_and_named(name: str, value: Any) -> None:
    with pytest.raises(InvalidEvent, match="; send ") as caught:
        parse_reconcile(event(**{name: value}))
    assert caught.value.field == f"edata.{name}"


@pytest.mark.parametrize(
    "value", [None, "", "not json", "[]", "null", '"x"', "{}", '{"edata": null}', '{"edata": []}', "{" * 5_000]
)
def test_what_is_no_job_event_is_invalid(value: str | None) -> None:
    with pytest.raises(InvalidEvent):
        parse_reconcile(value)


@given(value=texts({"action": "user-enrolment-sync", **IDS}, names=["action", *IDS]) | st.none())
def test_anything_is_read_or_skipped_or_invalid(value: str | None) -> None:
    try:
        parsed = parse_reconcile(value)
    except InvalidEvent:
        return
    assert isinstance(parsed, ReconcileRequest | Skipped)
