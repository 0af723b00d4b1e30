"""Events of merged accounts."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.accounts.events import MergeRequest, parse
from tests.harness.malformed import texts

SAMPLE = Path(__file__).parents[2] / "samples" / "lms.user.account.merge" / "documented.json"

VALID = {"action": "merge-user-courses-and-cert", "fromAccountId": "u-old", "toAccountId": "u-new"}


def event(**edata: Any) -> str:
    """An event as the user service sends it, with these fields of `edata` replaced."""
    return json.dumps(
        {
            "eid": "BE_JOB_REQUEST",
            "ets": 1700000000000,
            "mid": "LP.1700000000000.0a6f",
            "actor": {"id": "Merge User Courses and Cert", "type": "System"},
            "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}, "channel": "0123", "env": "dev"},
            "object": {"type": "MergeUserCoursesAndCert", "id": "u-new"},
            "edata": {**VALID, "rootOrgId": "0123", "iteration": 1, **edata},
        }
    )


def test_the_documented_sample() -> None:
    assert parse(SAMPLE.read_text(encoding="utf-8")) == MergeRequest(
        from_id="b964d83a-c40f-4b3c-85e7-68b764efd14b", to_id="191e6b5a-8581-46bd-b779-b3b534984649"
    )


@pytest.mark.parametrize("action", ["merge-user-courses-and-cert", "Merge-User-Courses-And-Cert", None])
def test_the_known_action_and_none(action: str | None) -> None:
    assert parse(event(action=action)) == MergeRequest(from_id="u-old", to_id="u-new")


def test_an_event_of_ids_alone() -> None:
    assert parse('{"edata": {"fromAccountId": "a", "toAccountId": "b"}}') == MergeRequest(from_id="a", to_id="b")


@pytest.mark.parametrize("action", ["", "batch-enrolment-sync", 5, True, ["merge-user-courses-and-cert"]])
def test_another_action_is_invalid(action: Any) -> None:
    with pytest.raises(InvalidEvent, match="merge-user-courses-and-cert") as caught:
        parse(event(action=action))
    assert caught.value.field == "edata.action"


@pytest.mark.parametrize("name", ["fromAccountId", "toAccountId"])
@pytest.mark.parametrize("value", [None, "", "  ", 5, 5.0, True, ["u-old"], {"id": "u-old"}, "u\x00", "x" * 70_000])
def test_an_unusable_id_is_invalid(name: str, value: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(event(**{name: value}))
    assert caught.value.field == f"edata.{name}"


def test_an_account_is_not_merged_with_itself() -> None:
    with pytest.raises(InvalidEvent, match="two accounts"):
        parse(event(fromAccountId="u-new"))
    assert parse(event(fromAccountId="U-new")).from_id == "U-new"


@pytest.mark.parametrize("value", [None, "", "no JSON", "[]", "null", "{}", '{"edata": null}', '{"edata": {}}'])
def test_what_is_no_merge_is_invalid(value: str | None) -> None:
    with pytest.raises(InvalidEvent):
        parse(value)


@given(texts(VALID, names=[*VALID, "iteration"]))
def test_whatever_comes_is_read_or_invalid(text: str) -> None:
    try:
        request = parse(text)
    except InvalidEvent:
        return
    assert request.from_id != request.to_id
    assert request.from_id.strip()
    assert request.to_id.strip()
