"""Events of learners' attempts, as the learner service sends them."""

import json
from typing import Any

from lern_tasks.sunbird.enrolment_key import EnrolmentKey

KEY = EnrolmentKey(user_id="u1", course_id="do_c1", batch_id="b1")
TS = 1_700_000_000_000


def answered(question: str | None = "q1", *, ets: int = TS, score: Any = 1, max_score: Any = 1, **item: Any) -> Any:
    """One answer; further arguments are fields of its item."""
    return {
        "eid": "ASSESS",
        "ets": ets,
        "mid": "ASSESS:1",
        "actor": {"id": "somebody", "type": "User"},
        "edata": {
            "index": 1,
            "score": score,
            "duration": 7,
            "pass": "No",
            "resvalues": [{"2": '{"text":"blue"}'}],
            "item": {
                "id": question,
                "maxscore": max_score,
                "type": "mcq",
                "title": "Colour?",
                "desc": "",
                "uri": "",
                "params": [{"1": '{"text":"red"}'}, {"answer": '{"correct":["1"]}'}],
                **item,
            },
        },
    }


def attempt(
    *answers: Any, ts: int = TS, attempt_id: str = "att-1", content: str = "r1", key: EnrolmentKey = KEY, **fields: Any
) -> dict[str, Any]:
    """The event of an attempt; without answers it has one."""
    return {
        "assessmentTs": ts,
        "batchId": key.batch_id,
        "courseId": key.course_id,
        "userId": key.user_id,
        "attemptId": attempt_id,
        "contentId": content,
        "events": list(answers) or [answered()],
        **fields,
    }


def recompute(key: EnrolmentKey = KEY, content: str = "r1") -> dict[str, Any]:
    """The event that asks for the scores alone, as the score-correction report writes it."""
    return {
        "assessmentTs": TS,
        "batchId": key.batch_id,
        "courseId": key.course_id,
        "userId": key.user_id,
        "contentId": content,
    }


def text(event: Any) -> str:
    """The event as a record's value."""
    return json.dumps(event)
