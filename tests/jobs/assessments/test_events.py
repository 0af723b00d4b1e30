"""Events of attempts."""

import copy
import json
from contextlib import nullcontext, suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.connections.json_values import DEEPEST
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.assessments.events import AssessmentEvent, parse
from lern_tasks.jobs.assessments.rules.attempt import AttemptId, Submission
from lern_tasks.jobs.assessments.rules.score import Answer
from tests.harness.assess_events import KEY, TS, answered, attempt, recompute, text
from tests.jobs.assessments.rules.attempts import at

IDS = ("courseId", "contentId", "batchId", "userId")


def submitted(event: Any) -> Submission:
    parsed = parse(text(event))
    assert parsed.submission is not None
    return parsed.submission


def one(event: Any) -> Answer:
    (answer,) = submitted(event).answers
    return answer


def changed(path: str, value: Any) -> dict[str, Any]:
    """An attempt with one answer whose field at the dotted path is another; Ellipsis: is missing."""
    event = copy.deepcopy(attempt())
    *parents, name = path.split(".")
    place: Any = event["events"][0] if path.startswith("events.") else event
    for parent in parents[1:] if path.startswith("events.") else parents:
        place = place[parent]
    if value is ...:
        del place[name]
    else:
        place[name] = value
    return event


def test_an_attempt() -> None:
    parsed = parse(text(attempt(answered("q1", score=1.5, max_score=2), answered("q2", score=1, max_score=1))))
    assert (parsed.key, parsed.content_id) == (KEY, "r1")
    submission = parsed.submission
    assert submission is not None
    assert submission.id == AttemptId(content_id="r1", attempt_id="att-1")
    assert submission.attempted_on == at(TS)
    assert submission.score.text == "2.5/3.0"
    assert submission.answers[0] == Answer(
        question_id="q1",
        answered_at=at(TS),
        score=1.5,
        max_score=2.0,
        duration=Decimal("7.0"),
        kind="mcq",
        title="Colour?",
        description="",
        values=[{"2": '{"text":"blue"}'}],
        params=[{"1": '{"text":"red"}'}, {"answer": '{"correct":["1"]}'}],
    )


def test_the_latest_answer_to_each_question_is_kept() -> None:
    event = attempt(answered("q1", ets=2, score=0), answered("q1", ets=1, score=1), answered("q2", ets=1))
    assert [(answer.question_id, answer.score) for answer in submitted(event).answers] == [("q1", 0), ("q2", 1)]


@pytest.mark.parametrize("events", [..., None, []])
def test_without_answers_the_scores_are_recomputed(events: Any) -> None:
    event = {**recompute(), "events": events} if events is not ... else recompute()
    for fields in (event, {**event, "attemptId": None, "assessmentTs": "yesterday"}):
        assert parse(text(fields)) == AssessmentEvent(key=KEY, content_id="r1", submission=None)


@pytest.mark.parametrize("value", [..., None, "", "  ", 5, ["u1"], {}, True, "u\x00", "x" * 70_000], ids=repr)
@pytest.mark.parametrize("name", [*IDS, "attemptId"])
def test_ids_that_are_none_are_invalid(name: str, value: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(text(changed(name, value)))
    assert caught.value.field == name


@pytest.mark.parametrize("name", IDS)
def test_a_recomputation_needs_ids_as_well(name: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(text({**recompute(), name: " "}))
    assert caught.value.field == name


@pytest.mark.parametrize("value", [..., None, "1700000000000", 1.7e12, True, -1, 10**18, [1]], ids=repr)
@pytest.mark.parametrize(
    ("path", "field"), [("assessmentTs", "assessmentTs"), ("events.ets", "events[].ets")], ids=["attempt", "answer"]
)
def test_times_that_are_none_are_invalid(path: str, field: str, value: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(text(changed(path, value)))
    assert caught.value.field == field


@pytest.mark.parametrize("value", ["", "x", {}, {"0": {}}, 5, True])
def test_events_that_are_no_list_are_invalid(value: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(text(attempt() | {"events": value}))
    assert caught.value.field == "events"


@pytest.mark.parametrize("value", [None, "x", 5, [], [answered()]], ids=repr)
def test_an_answer_that_is_no_object_is_invalid(value: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(text(attempt(answered(), value)))
    assert caught.value.field == "events[]"


@pytest.mark.parametrize("value", [..., None, [], "x", 5], ids=repr)
@pytest.mark.parametrize(
    ("path", "field"), [("events.edata", "events[].edata"), ("events.edata.item", "events[].edata.item")]
)
def test_an_answer_without_its_parts_is_invalid(path: str, field: str, value: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(text(changed(path, value)))
    assert caught.value.field == field


NUMBERS = {
    "score": "events.edata.score",
    "max_score": "events.edata.item.maxscore",
    "duration": "events.edata.duration",
}


@pytest.mark.parametrize(
    ("value", "number"), [(..., 0.0), (None, 0.0), (2, 2.0), (1.5, 1.5), ("1.5", 1.5), ("2", 2.0), (-1, -1.0)]
)
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str, value: Any, number: float) -> None:
    assert float(getattr(one(changed(NUMBERS[name], value)), name)) == number


@pytest.mark.parametrize("value", ["", "two", "NaN", True, [], {}])
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_is_invalid(name: str, value: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(text(changed(NUMBERS[name], value)))
    assert caught.value.field == NUMBERS[name].replace("events.", "events[].")


def test_points_too_great_to_be_summed_are_invalid() -> None:
    with pytest.raises(InvalidEvent, match="too great"):
        parse(text(attempt(answered("q1", score=1e308), answered("q2", score=1e308))))


@pytest.mark.parametrize(("value", "stored"), [(7, "7.0"), (0.1, "0.1"), (..., "0.0"), (1e22, "1E+22")])
def test_a_duration_is_the_shortest_text_of_its_double(value: Any, stored: str) -> None:
    assert str(one(changed("events.edata.duration", value)).duration) == stored


LISTS = {"values": "events.edata.resvalues", "params": "events.edata.item.params"}


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (..., []),
        (None, []),
        ([], []),
        ([{}], [{}]),
        ([{"a": "x", "b": None}], [{"a": "x"}]),
        ([{"a": 1, "b": 1.5, "c": True}], [{"a": "1", "b": "1.5", "c": "true"}]),
        ([{"a": {"t": "é<&", "n": None}, "b": [1, "x"]}], [{"a": '{"t":"é<&","n":null}', "b": '[1,"x"]'}]),
        ([{"a": 2**80}], [{"a": str(2**80)}]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("name", LISTS)
def test_what_was_chosen_and_what_there_was_to_choose(name: str, value: Any, stored: Any) -> None:
    assert getattr(one(changed(LISTS[name], value)), name) == stored


@pytest.mark.parametrize("value", ["x", {}, 5, [None], ["x"], [["x"]]])
@pytest.mark.parametrize("name", LISTS)
def test_other_lists_are_invalid(name: str, value: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(text(changed(LISTS[name], value)))
    assert caught.value.field.removesuffix("[]") == LISTS[name].replace("events.", "events[].")


@pytest.mark.parametrize(
    ("field", "name"), [("id", "question_id"), ("title", "title"), ("type", "kind"), ("desc", "description")]
)
def test_texts_of_a_question(field: str, name: str) -> None:
    for value in (..., None):
        assert getattr(one(changed(f"events.edata.item.{field}", value)), name) is None
    assert getattr(one(changed(f"events.edata.item.{field}", "")), name) == ""
    with pytest.raises(InvalidEvent) as caught:
        parse(text(changed(f"events.edata.item.{field}", 5)))
    assert caught.value.field == f"events[].edata.item.{field}"


@pytest.mark.parametrize("value", [None, "", "not json", "[]", "null", "5", "{}", '{"edata": {}}'])
def test_what_is_no_such_event_is_invalid(value: str | None) -> None:
    with pytest.raises(InvalidEvent):
        parse(value)


@pytest.mark.parametrize(("depth", "stored"), [(100, True), (DEEPEST - 20, True), (DEEPEST, False), (5_000, False)])
def test_a_value_nested_deeply_is_stored_or_invalid(depth: int, stored: bool) -> None:
    event = text(attempt()).replace('{"2": "{\\"text\\":\\"blue\\"}"}', '{"2": ' + "[" * depth + "]" * depth + "}")
    assert "[[[" in event
    with nullcontext() if stored else pytest.raises(InvalidEvent, match="nested too deeply"):
        parse(event)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(answered()),
    lambda children: st.lists(children) | st.dictionaries(st.sampled_from(["ets", "edata", "item", "id"]), children),
    max_leaves=8,
)


@given(fields=st.dictionaries(st.sampled_from(["events", "attemptId", "assessmentTs", *IDS]), anything))
def test_any_fields_are_read_or_invalid(fields: dict[str, Any]) -> None:
    try:
        parsed = parse(json.dumps({**attempt(), **fields}))
    except InvalidEvent:
        return
    assert isinstance(parsed, AssessmentEvent)


@given(value=anything, path=st.sampled_from(["ets", "edata", "edata.item", "edata.item.params", "edata.resvalues"]))
def test_any_answer_is_read_or_invalid(value: Any, path: str) -> None:
    with suppress(InvalidEvent):
        assert submitted(changed(f"events.{path}", value)).answers
