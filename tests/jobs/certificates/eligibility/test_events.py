"""Events of the pre-processor's topic."""

import json
from typing import Any

import pytest
from hypothesis import given

from lern_tasks.delivery.batch import Skipped
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.eligibility.events import IssueRequest, parse
from tests.harness.malformed import texts

ETS = 1_700_000_000_000
REQUIRED = {"action": "issue-certificate", "batchId": "0139000000000001", "courseId": "do_9001", "userIds": ["u-42"]}


def event(**edata: Any) -> str:
    """An event as our jobs and the learner service send it, with these fields of `edata` replaced."""
    return json.dumps(
        {
            "eid": "BE_JOB_REQUEST",
            "ets": ETS,
            "mid": "LP.1700000000000.0b9c1f0e-1111-4a2b-9c3d-aaaabbbbcccc",
            "actor": {"id": "Course Certificate Generator", "type": "System"},
            "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}},
            "object": {"id": "0139000000000001_do_9001", "type": "CourseCertificateGeneration"},
            "edata": {**REQUIRED, "iteration": 1, "trigger": "auto-issue", "reIssue": False, **edata},
        }
    )


def without(name: str) -> str:
    parsed = json.loads(event())
    del parsed["edata"][name]
    return json.dumps(parsed)


def request(*users: str, reissue: bool = False, ets: int | None = ETS) -> IssueRequest:
    return IssueRequest(
        course_id="do_9001", batch_id="0139000000000001", user_ids=users or ("u-42",), reissue=reissue, ets=ets
    )


@pytest.mark.parametrize("action", ["issue-certificate", "ISSUE-CERTIFICATE", "Issue-Certificate"])
def test_the_action_in_any_case(action: str) -> None:
    assert parse(event(action=action)) == request()


@pytest.mark.parametrize(
    "value",
    [
        event(),
        event(attemptId="a1"),
        event(reIssue=None),
        without("reIssue"),
        without("trigger"),
    ],
)
def test_a_first_issue(value: str) -> None:
    assert parse(value) == request()


def test_a_re_issue() -> None:
    assert parse(event(reIssue=True)) == request(reissue=True)


@pytest.mark.parametrize(
    ("listed", "users"),
    [(["a", "b"], ("a", "b")), (["b", "a", "b"], ("b", "a")), (["a"] * 3, ("a",))],
)
def test_every_user_is_one_once(listed: list[str], users: tuple[str, ...]) -> None:
    assert parse(event(userIds=listed)) == request(*users)


@pytest.mark.parametrize("ets", [None, "1700000000000", -1, True])
def test_a_time_that_is_none_is_no_error(ets: Any) -> None:
    assert parse(json.dumps({"ets": ets, "edata": REQUIRED})) == request(ets=None)


@pytest.mark.parametrize(
    "value",
    [event(action="other"), event(action=""), event(action=None), event(action=5), without("action")],
)
def test_another_action_is_skipped(value: str) -> None:
    assert parse(value) == Skipped(reason="another action")


@pytest.mark.parametrize("value", [event(userIds=[]), event(userIds=None), without("userIds")])
def test_no_user_is_skipped(value: str) -> None:
    assert parse(value) == Skipped(reason="no users")


WRONG_IDS: tuple[Any, ...] = ("", " ", None, 5, ["x"], "a\0b", "x" * 21_001)
WRONG_LISTS: tuple[Any, ...] = ("u-42", {"id": "u-42"}, 5, False)
WRONG_FLAGS: tuple[Any, ...] = ("true", 1, 0, [])


@pytest.mark.parametrize(
    ("value", "field"),
    [
        *((without(name), f"edata.{name}") for name in ("courseId", "batchId")),
        *((event(**{name: wrong}), f"edata.{name}") for name in ("courseId", "batchId") for wrong in WRONG_IDS),
        *((event(userIds=wrong), "edata.userIds") for wrong in WRONG_LISTS),
        *((event(userIds=["u-42", wrong]), "edata.userIds") for wrong in WRONG_IDS),
        *((event(reIssue=wrong), "edata.reIssue") for wrong in WRONG_FLAGS),
        (json.dumps({"edata": None}), "edata"),
        (json.dumps({"edata": []}), "edata"),
        ("{}", "edata"),
    ],
)
def test_invalid_events_name_the_field(value: str, field: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(value)
    assert caught.value.field == field
    assert str(caught.value).startswith(field)
    assert "; " in str(caught.value), "the message must name a remedy"


@pytest.mark.parametrize("value", [None, "", " ", "null", "[]", "5", '"x"', "{", event() + "}", "\0"])
def test_no_json_object(value: str | None) -> None:
    with pytest.raises(InvalidEvent):
        parse(value)


def test_a_needless_backslash_is_taken_for_what_follows_it() -> None:
    assert parse(event().replace('"u-42"', r'"u\-42"')) == request()


@given(texts(REQUIRED, names=["userIds", "reIssue", "action", "courseId", "batchId"]))
def test_any_text_is_read_skipped_or_refused(value: str) -> None:
    try:
        found = parse(value)
    except InvalidEvent:
        return
    assert isinstance(found, Skipped) or (found.user_ids and found.course_id.strip() and found.batch_id.strip())
