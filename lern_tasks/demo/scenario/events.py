"""The events that the platform sends in the demo, beside the lessons': a sitting of the exam, a sync, a merge."""

import uuid
from typing import Any

from lern_tasks.sunbird.enrolment_key import EnrolmentKey

QUESTIONS = 5
"""Of the exam, one mark each."""


def job_request(actor: str, thing: dict[str, str], edata: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """The envelope of the platform's requests."""
    return {
        "eid": "BE_JOB_REQUEST",
        "ets": now_ms,
        "mid": f"LP.{now_ms}.{uuid.uuid4()}",
        "actor": {"id": actor, "type": "System"},
        "context": {"pdata": {"id": "org.sunbird.platform", "ver": "1.0"}},
        "object": thing,
        "edata": edata,
    }


def exam_sat(key: EnrolmentKey, exam: str, score: int, now_ms: int) -> dict[str, Any]:
    """One attempt at the exam with `score` right answers."""
    return {
        "assessmentTs": now_ms,
        "userId": key.user_id,
        "courseId": key.course_id,
        "batchId": key.batch_id,
        "contentId": exam,
        "attemptId": uuid.uuid5(uuid.NAMESPACE_URL, f"{key.text}:{exam}").hex,
        "events": [_answer(number, right=number < score, now_ms=now_ms) for number in range(QUESTIONS)],
    }


def sync_asked(key: EnrolmentKey, now_ms: int) -> dict[str, Any]:
    """A learner asks for progress to be computed again."""
    edata = {
        "action": "user-enrolment-sync",
        "iteration": 1,
        "userId": key.user_id,
        "courseId": key.course_id,
        "batchId": key.batch_id,
    }
    thing = {"id": f"{key.batch_id}_{key.user_id}", "type": "CourseBatchEnrolment"}
    return job_request("Course Batch Updater", thing, edata, now_ms)


def accounts_merged(source: str, target: str, now_ms: int) -> dict[str, Any]:
    """A person's old account was merged into the new one."""
    edata = {
        "action": "merge-user-courses-and-cert",
        "iteration": 1,
        "fromAccountId": source,
        "toAccountId": target,
    }
    return job_request("Merge User Courses and Cert", {"id": target, "type": "MergeUserCoursesAndCert"}, edata, now_ms)


def _answer(number: int, *, right: bool, now_ms: int) -> dict[str, Any]:
    question = {
        "id": f"do_demo_question_{number + 1}",
        "maxscore": 1,
        "type": "mcq",
        "title": f"Question {number + 1}",
        "desc": "",
        "params": [{"1": '{"text":"1/2"}'}, {"2": '{"text":"2/3"}'}, {"answer": '{"correct":["1"]}'}],
    }
    given = [{"1": '{"text":"1/2"}'}] if right else [{"2": '{"text":"2/3"}'}]
    edata = {"index": number + 1, "score": float(right), "duration": 7, "resvalues": given, "item": question}
    return {"eid": "ASSESS", "ets": now_ms + number, "edata": edata}
