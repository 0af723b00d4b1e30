"""The envelope and the readers of its fields."""

from typing import Any

import pytest

from lern_tasks.errors import InvalidEvent
from lern_tasks.sunbird import envelope
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


def test_a_record_without_value_is_invalid() -> None:
    with pytest.raises(InvalidEvent, match="no value"):
        envelope.decode(None)


def test_unknown_fields_are_kept_and_ignored() -> None:
    assert envelope.decode('{"eid": "X", "new": [1]}') == {"eid": "X", "new": [1]}


def test_edata_is_returned() -> None:
    assert envelope.edata({"edata": {"action": "x"}}) == {"action": "x"}


@pytest.mark.parametrize(
    ("event", "state"),
    [
        ({}, "missing"),
        ({"edata": None}, "missing"),
        ({"edata": []}, "a list"),
        ({"edata": "{}"}, "text"),
        ({"edata": 1}, "a number"),
    ],
)
def test_an_event_without_edata_is_invalid(event: dict[str, Any], state: str) -> None:
    with pytest.raises(InvalidEvent, match=f"edata is {state}; send an object") as caught:
        envelope.edata(event)
    assert caught.value.field == "edata"


@pytest.mark.parametrize(
    ("data", "action"),
    [({"action": "Sync"}, "Sync"), ({}, ""), ({"action": None}, ""), ({"action": 5}, ""), ({"action": ["Sync"]}, "")],
)
def test_action(data: dict[str, Any], action: str) -> None:
    assert envelope.action_of(data) == action


@pytest.mark.parametrize(
    ("event", "time"),
    [
        ({"ets": 1_700_000_000_123}, 1_700_000_000_123),
        ({"ets": 1.7e12}, 1_700_000_000_000),
        ({"ets": 0}, 0),
        ({}, None),
        ({"ets": None}, None),
        ({"ets": True}, None),
        ({"ets": "1700000000123"}, None),
        ({"ets": -1}, None),
        ({"ets": 10**400}, None),
        ({"ets": 1e300}, None),
        ({"ets": float("nan")}, None),
    ],
)
def test_time_of_the_event(event: dict[str, Any], time: int | None) -> None:
    found = envelope.event_time(event)
    assert found == time
    assert found is None or type(found) is int


@pytest.mark.parametrize("value", ["u1", " u1 ", "0", "ü", "😀", "x" * envelope.MAX_ID_BYTES])
def test_an_id_is_taken_as_it_is(value: str) -> None:
    assert envelope.required_id({"userId": value}, "userId") == value


@pytest.mark.parametrize(
    ("data", "state"),
    [
        ({}, "missing"),
        ({"userId": None}, "missing"),
        ({"userId": ""}, "blank"),
        ({"userId": " \t\n"}, "blank"),
        ({"userId": 5}, "a number"),
        ({"userId": True}, "true or false"),
        ({"userId": ["u1"]}, "a list"),
        ({"userId": {"id": "u1"}}, "an object"),
        ({"userId": "u\x001"}, "NUL"),
        ({"userId": "x" * (envelope.MAX_ID_BYTES + 1)}, "longer than"),
        ({"userId": "😀" * (envelope.MAX_ID_BYTES // 4 + 1)}, "longer than"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_id_that_is_none_names_field_state_and_remedy(data: dict[str, Any], state: str) -> None:
    with pytest.raises(InvalidEvent, match=f"edata.userId is .*{state}.*; send ") as caught:
        envelope.required_id(data, "userId")
    assert caught.value.field == "edata.userId"
    assert len(str(caught.value)) < 200


def test_three_ids_of_the_greatest_length_fit_a_partition_key() -> None:
    # Each part of a composite key takes three bytes more.
    assert 3 * (envelope.MAX_ID_BYTES + 3) <= 65_535


@pytest.mark.parametrize("data", [{}, {"contentId": None}, {"contentId": ""}, {"contentId": " "}])
def test_an_id_that_may_be_absent(data: dict[str, Any]) -> None:
    assert envelope.optional_id(data, "contentId") is None


def test_an_id_that_may_be_absent_must_be_an_id_when_it_is_there() -> None:
    with pytest.raises(InvalidEvent, match=r"edata\.contents\[\]\.contentId is a number") as caught:
        envelope.optional_id({"contentId": 5}, "contentId", path="edata.contents[]")
    assert caught.value.field == "edata.contents[].contentId"


def test_a_list_may_be_absent() -> None:
    assert envelope.required_list({}, "contents") == []
    assert envelope.required_list({"contents": [1]}, "contents") == [1]


@pytest.mark.parametrize("value", [None, {}, "r1", 2, True])
def test_a_list_may_be_nothing_else(value: Any) -> None:
    with pytest.raises(InvalidEvent, match=r"edata.contents is .*; send a list") as caught:
        envelope.required_list({"contents": value}, "contents")
    assert caught.value.field == "edata.contents"


def test_enrolment_key() -> None:
    data = {"userId": "u1", "courseId": "do_c1", "batchId": "b1"}
    assert envelope.enrolment_key(data) == EnrolmentKey(user_id="u1", course_id="do_c1", batch_id="b1")


@pytest.mark.parametrize("name", ["userId", "courseId", "batchId"])
def test_every_part_of_an_enrolment_key_is_required(name: str) -> None:
    data = {"userId": "u1", "courseId": "do_c1", "batchId": "b1", name: ""}
    with pytest.raises(InvalidEvent) as caught:
        envelope.enrolment_key(data)
    assert caught.value.field == f"edata.{name}"
