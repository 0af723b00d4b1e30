"""Events of the aggregator's topic."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.delivery.batch import Skipped
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.progress.events import ProgressEvent, SyncRequest, parse
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

KEY = EnrolmentKey(user_id="u1", course_id="do_c1", batch_id="b1")
ETS = 1_683_617_553_712
IDS = {"userId": "u1", "batchId": "b1", "courseId": "do_c1"}


def event(**edata: Any) -> str:
    """An event as the learner service sends it, with these fields of `edata` replaced."""
    return json.dumps(
        {
            "eid": "BE_JOB_REQUEST",
            "ets": ETS,
            "mid": "LP.1683617553712.b5899054-aabf-4a4c-b4e1-749f8721a276",
            "actor": {"type": "System", "id": "Course Batch Updater"},
            "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}},
            "object": {"type": "CourseBatchEnrolment", "id": "b1_u1"},
            "edata": {
                "contents": [{"contentId": "r1", "status": 2}],
                "action": "batch-enrolment-update",
                "iteration": 1,
                **IDS,
                **edata,
            },
        }
    )


def without(name: str) -> str:
    parsed = json.loads(event())
    del parsed["edata"][name]
    return json.dumps(parsed)


def progress(*contents: str) -> ProgressEvent:
    return ProgressEvent(key=KEY, contents=contents, ets=ETS)


def test_the_documented_event() -> None:
    assert parse(event()) == progress("r1")


@pytest.mark.parametrize(
    ("contents", "found"),
    [
        pytest.param(
            [{"contentId": "r1", "status": 2}, {"contentId": "r2", "status": 1}], ("r1",), id="only completed"
        ),
        pytest.param([{"contentId": "r1", "status": 2.0}], ("r1",), id="2.0"),
        pytest.param(
            [{"contentId": "r2", "status": 2}, {"contentId": "r1", "status": 2}, {"contentId": "r2", "status": 2}],
            ("r2", "r1"),
            id="each once, in order",
        ),
        pytest.param([{"status": 2}], (), id="no id: recomputed all the same"),
        pytest.param([{"contentId": " ", "status": 2}, {"contentId": None, "status": 2}], (), id="blank and null id"),
        pytest.param([{"contentId": "r1", "status": 2}, {"status": 2}], ("r1",), id="one without id"),
        pytest.param(
            [{"contentId": 5, "status": 1}, {"contentId": "r1", "status": 2}], ("r1",), id="started: not read"
        ),
    ],
)
def test_completed_contents(contents: list[Any], found: tuple[str, ...]) -> None:
    assert parse(event(contents=contents)) == progress(*found)


@pytest.mark.parametrize(
    "contents",
    [
        [],
        [{"contentId": "r1", "status": 1}],
        [{"contentId": "r1", "status": "2"}],
        [{"contentId": "r1", "status": True}],
        [{"contentId": "r1", "status": 3}],
        [{"contentId": "r1", "status": 2.5}],
        [{"contentId": "r1", "status": [2]}],
        [{"contentId": "r1", "status": 10**400}],
        [{"contentId": "r1", "status": None}],
        [{"contentId": "r1"}],
        [{}],
    ],
    ids=lambda contents: json.dumps(contents)[:40],
)
def test_an_event_without_completed_content_is_skipped(contents: list[Any]) -> None:
    assert parse(event(contents=contents)) == Skipped(reason="no completed content")


def test_an_event_without_contents_is_skipped() -> None:
    assert parse(without("contents")) == Skipped(reason="no completed content")


@pytest.mark.parametrize("contents", [None, {}, "r1", 2, [None], ["r1"], [2], [[{"contentId": "r1", "status": 2}]]])
def test_contents_of_the_wrong_type_are_invalid(contents: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(event(contents=contents))
    assert caught.value.field.startswith("edata.contents")


@pytest.mark.parametrize("content_id", [5, True, ["r1"], {"id": "r1"}, "r\x001", "x" * 70_000])
def test_a_completed_content_with_an_impossible_id_is_invalid(content_id: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(event(contents=[{"contentId": content_id, "status": 2}]))
    assert caught.value.field == "edata.contents[].contentId"


@pytest.mark.parametrize("contents", [[{"contentId": "r1", "status": 2}], []])
@pytest.mark.parametrize("value", [None, "", "  ", 5, [], {}, "u\x00", "x" * 65_536])
@pytest.mark.parametrize("name", IDS)
def test_ids_that_are_none_are_invalid_with_or_without_contents(name: str, value: Any, contents: list[Any]) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(event(contents=contents, **{name: value}))
    assert caught.value.field == f"edata.{name}"


@pytest.mark.parametrize("name", IDS)
def test_missing_ids_are_invalid(name: str) -> None:
    with pytest.raises(InvalidEvent, match="missing") as caught:
        parse(without(name))
    assert caught.value.field == f"edata.{name}"


def test_a_lone_surrogate_in_an_id_is_invalid() -> None:
    with pytest.raises(InvalidEvent):
        parse(event().replace('"u1"', r'"\ud800"'))


@pytest.mark.parametrize("action", ["batch-enrolment-update", "Batch-Enrolment-UPDATE"])
def test_the_action_is_compared_in_any_case(action: str) -> None:
    assert parse(event(action=action)) == progress("r1")


@pytest.mark.parametrize("action", ["", "user-enrolment-sync", " batch-enrolment-update", None, 2, ["x"]])
def test_another_action_is_skipped_whatever_else_is_there(action: Any) -> None:
    assert parse(event(action=action, userId=None, contents=None)) == Skipped(reason="another action")


def test_an_absent_action_is_skipped() -> None:
    assert parse(without("action")) == Skipped(reason="another action")


@pytest.mark.parametrize("value", [None, "", "not json", "[]", "null", "{}", '{"edata": null}', '{"edata": []}'])
def test_what_is_no_job_event_is_invalid(value: str | None) -> None:
    with pytest.raises(InvalidEvent):
        parse(value)


@pytest.mark.parametrize(
    ("fields", "reconciled"),
    [
        ({}, False),
        ({"reset": ["completionPercentage", "status", "progress"]}, False),
        ({"reconciled": True}, True),
        ({"reconciled": False}, False),
        ({"reconciled": "true"}, False),
        ({"reconciled": None}, False),
    ],
)
@pytest.mark.parametrize("action", ["batch-enrolment-sync", "BATCH-enrolment-sync"])
def test_a_sync_event(action: str, fields: dict[str, Any], reconciled: bool) -> None:
    assert parse(event(action=action, contents=None, **fields)) == SyncRequest(key=KEY, reconciled=reconciled)


@pytest.mark.parametrize("name", IDS)
def test_a_sync_event_without_ids_is_invalid(name: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(event(action="batch-enrolment-sync", **{name: ""}))
    assert caught.value.field == f"edata.{name}"


def test_a_time_that_is_none_is_no_error() -> None:
    parsed = parse(event().replace(f'"ets": {ETS}', '"ets": "yesterday"'))
    assert isinstance(parsed, ProgressEvent)
    assert parsed.ets is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([2, "r1"]),
    lambda children: st.lists(children) | st.dictionaries(st.sampled_from(["contentId", "status", "x"]), children),
    max_leaves=8,
)


@given(fields=st.dictionaries(st.sampled_from(["contents", *IDS, "reconciled"]), anything))
def test_any_fields_are_read_or_skipped_or_invalid(fields: dict[str, Any]) -> None:
    try:
        parsed = parse(event(**fields))
    except InvalidEvent:
        return
    assert isinstance(parsed, ProgressEvent | Skipped)
