"""Every event job at work on the same enrolments: learners who also sit an exam, press "sync", or merge accounts."""

import random
from typing import Any

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from tests.harness.installation import ASSESS, MERGE, PROGRESS, SYNC, USER_AUDIT
from tests.harness.scenario import MAX_SCORE, Course, Learner, Scenario, make_course

Event = tuple[str, str | None, dict[str, Any]]
"""Topic, key and event."""

ASSESSED_MS = 1_700_000_000_000

HOUR_MS = 3_600_000
"""Between two attempts of one learner."""


def exam_course(name: str, *, lessons: int = 4) -> Course:
    """A course whose last content is an exam, with a template for all who finish and one for those who pass it."""
    course = make_course(name, lessons=lessons)
    return Course(
        course_id=course.course_id,
        batch_id=course.batch_id,
        units=course.units,
        exam=course.contents[-1],
        distinction="With Distinction",
    )


def make_everything(seed: int, *, learners: int, courses: list[Course]) -> Scenario:
    """Learners of all kinds, two in three of whom finish; what they do must lead to the same rows in any order."""
    rng = random.Random(seed)
    scenario = Scenario(courses=courses)
    for number in range(learners):
        course = courses[number % len(courses)]
        key = EnrolmentKey(user_id=f"u-{seed}-{number}", course_id=course.course_id, batch_id=course.batch_id)
        contents = list(course.contents)
        rng.shuffle(contents)
        done = contents if rng.random() < 2 / 3 else contents[: rng.randint(1, len(contents) - 1)]
        scores = tuple(rng.randint(0, MAX_SCORE) for _ in range(rng.choice((0, 0, 0, 1, 2))))
        if number % 5 < 3:
            stored = frozenset(done) if number % 2 else frozenset()
            scenario.learners.append(Learner(key=key, finished=done, stored=stored, scores=scores))
        else:
            half = rng.randint(1, len(done))
            scenario.learners.append(
                Learner(
                    key=key,
                    finished=done[half:],
                    stored=frozenset(),
                    scores=scores,
                    merged_from=f"old-{seed}-{number}",
                    inherited=tuple(done[:half]),
                    enrolled=bool(number % 2),
                )
            )
    return scenario


def every_event(scenario: Scenario, seed: int) -> list[Event]:
    """All that happens, shuffled; a fifth of it twice."""
    rng = random.Random(seed)
    events: list[Event] = [(PROGRESS, user, event) for user, event in scenario.events()]
    for learner in scenario.learners:
        exam = scenario.course_of(learner).exam
        events += [(ASSESS, None, event) for event in attempts(learner, exam)]
        if learner.merged_from:
            events.append((MERGE, learner.key.user_id, merged(learner.merged_from, learner.key.user_id)))
        if rng.random() < 0.3:
            events.append((SYNC, learner.key.user_id, sync(learner.key)))
        if rng.random() < 0.2:
            events.append((USER_AUDIT, None, user_changed(learner.key.user_id)))
    events += rng.sample(events, len(events) // 5)
    rng.shuffle(events)
    return events


def attempts(learner: Learner, exam: str) -> list[dict[str, Any]]:
    """The events of each attempt; for the first also one that was sent when it was half done."""
    found = []
    for number, score in enumerate(learner.scores):
        at = ASSESSED_MS + number * HOUR_MS
        if number == 0:
            # Never better than the last: a certificate that it earned would stay.
            found.append(attempt(learner.key, exam, number, score=score // 2, at_ms=at))
        found.append(attempt(learner.key, exam, number, score=score, at_ms=at + 60_000))
    return found


def attempt(key: EnrolmentKey, exam: str, number: int, *, score: int, at_ms: int) -> dict[str, Any]:
    """One attempt with `score` right answers."""
    answers = [
        {
            "eid": "ASSESS",
            "ets": at_ms + question,
            "edata": {
                "index": question,
                "score": float(question < score),
                "duration": 3,
                "resvalues": [{"1": '{"text":"red"}'}],
                "item": {
                    "id": f"q{question}",
                    "maxscore": 1,
                    "type": "mcq",
                    "title": "Colour?",
                    "desc": "",
                    "params": [{"1": '{"text":"red"}'}, {"answer": '{"correct":["1"]}'}],
                },
            },
        }
        for question in range(MAX_SCORE)
    ]
    return {
        "assessmentTs": at_ms,
        "batchId": key.batch_id,
        "courseId": key.course_id,
        "userId": key.user_id,
        "attemptId": f"att-{number}",
        "contentId": exam,
        "events": answers,
    }


def sync(key: EnrolmentKey) -> dict[str, Any]:
    """A learner asks for progress to be computed again."""
    edata = {"action": "user-enrolment-sync", "iteration": 1}
    return _request({**edata, "batchId": key.batch_id, "userId": key.user_id, "courseId": key.course_id})


def merged(source: str, target: str) -> dict[str, Any]:
    """Two accounts of one person became one."""
    return _request({"action": "merge-user-courses-and-cert", "fromAccountId": source, "toAccountId": target})


def user_changed(user_id: str) -> dict[str, Any]:
    """A user changed the profile."""
    return {
        "eid": "AUDIT",
        "ets": ASSESSED_MS,
        "mid": f"AUDIT:{user_id}",
        "actor": {"id": user_id, "type": "User"},
        "context": {
            "channel": "org",
            "env": "User",
            "pdata": {"id": "lms", "pid": "learner-service", "ver": "5.3.0"},
            "cdata": [{"id": "google", "type": "SignupType"}],
        },
        "object": {"id": user_id, "type": "User"},
        "edata": {"state": "Updated", "props": ["firstName"]},
    }


def _request(edata: dict[str, Any]) -> dict[str, Any]:
    return {"eid": "BE_JOB_REQUEST", "ets": ASSESSED_MS, "mid": "LP.1", "object": {}, "edata": edata}
