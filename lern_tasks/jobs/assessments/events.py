"""Events of `{env}.telemetry.assess`. See docs/jobs/assessment_aggregator.md, section "Event".

They have no envelope: all fields are the event's own.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.assessments.rules.attempt import AttemptId, Submission
from lern_tasks.jobs.assessments.rules.score import Answer, latest_answers, score_of
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.envelope import MAX_TIME_MS, decode, required_id
from lern_tasks.sunbird.json_text import json_type
from lern_tasks.sunbird.numbers import number_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentEvent:
    """A learner's attempt at a content of a course; without one the learner's scores are only recomputed."""

    key: EnrolmentKey
    content_id: str
    submission: Submission | None


def parse(value: str | None) -> AssessmentEvent:
    """Read the value of a record. Raises InvalidEvent; see the section for what is invalid."""
    event = decode(value)
    key = EnrolmentKey(
        user_id=required_id(event, "userId", path=""),
        course_id=required_id(event, "courseId", path=""),
        batch_id=required_id(event, "batchId", path=""),
    )
    content_id = required_id(event, "contentId", path="")
    answers = _objects(event, "events", "events")
    return AssessmentEvent(
        key=key, content_id=content_id, submission=_submission(event, content_id, answers) if answers else None
    )


def _submission(event: Mapping[str, Any], content_id: str, answers: list[Mapping[str, Any]]) -> Submission:
    kept = latest_answers([_answer(answer) for answer in answers])
    score = score_of(kept)
    if not (math.isfinite(score.total) and math.isfinite(score.maximum)):
        raise _invalid("events[].edata.score", "too great to be summed", "send real points")
    return Submission(
        id=AttemptId(content_id=content_id, attempt_id=required_id(event, "attemptId", path="")),
        attempted_on=_moment(event, "assessmentTs", "assessmentTs"),
        answers=kept,
        score=score,
    )


def _answer(answer: Mapping[str, Any]) -> Answer:
    data = _object(answer, "edata", "events[].edata")
    item = _object(data, "item", "events[].edata.item")
    return Answer(
        question_id=_text(item, "id"),
        answered_at=_moment(answer, "ets", "events[].ets"),
        score=_number(data, "score", "events[].edata.score"),
        max_score=_number(item, "maxscore", "events[].edata.item.maxscore"),
        duration=Decimal(repr(_number(data, "duration", "events[].edata.duration"))),
        kind=_text(item, "type"),
        title=_text(item, "title"),
        description=_text(item, "desc"),
        values=_maps(data, "resvalues", "events[].edata.resvalues"),
        params=_maps(item, "params", "events[].edata.item.params"),
    )


def _objects(data: Mapping[str, Any], name: str, field: str) -> list[Mapping[str, Any]]:
    """A list of objects; absent or null is an empty one."""
    value = data.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _invalid(field, json_type(value), "send a list of objects, or leave the field out")
    for entry in value:
        if not isinstance(entry, dict):
            raise _invalid(f"{field}[]", json_type(entry), "send objects")
    return value


def _object(data: Mapping[str, Any], name: str, field: str) -> Mapping[str, Any]:
    value = data.get(name)
    if not isinstance(value, dict):
        raise _invalid(field, "missing" if value is None else json_type(value), "send an object")
    return value


def _maps(data: Mapping[str, Any], name: str, field: str) -> list[dict[str, str]]:
    """Objects as the table keeps them: from text to text, other values as their JSON, without nulls."""
    return [
        {key: _json_text(value, field) for key, value in entry.items() if value is not None}
        for entry in _objects(data, name, field)
    ]


def _json_text(value: Any, field: str) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        raise _invalid(field, "nested too deeply", "send texts") from None


def _text(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise _invalid(f"events[].edata.item.{name}", json_type(value), "send text")
    return value


def _number(data: Mapping[str, Any], name: str, field: str) -> float:
    """A number, or a text that is one; absent or null is 0."""
    value = data.get(name)
    if value is None:
        return 0.0
    number = number_of(value)
    if number is None:
        raise _invalid(field, "no number that can be stored", "send a number")
    return number


def _moment(data: Mapping[str, Any], name: str, field: str) -> datetime:
    value = data.get(name)
    if value is None:
        raise _invalid(field, "missing", "send epoch milliseconds")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_TIME_MS:
        raise _invalid(field, "no time", "send epoch milliseconds as a whole number")
    return _EPOCH + timedelta(milliseconds=value)


def _invalid(field: str, state: str, remedy: str) -> InvalidEvent:
    return InvalidEvent(f"{field} is {state}; {remedy}", field)
