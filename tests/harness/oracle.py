"""What the rows must be, computed one learner after the other without anything of the package's rules."""

import hashlib
from dataclasses import dataclass, field

from tests.harness.scenario import MAX_SCORE, PASS_PERCENT, Course, Learner, Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The rows of one enrolment. `certificates` are names; `counts` is view and completed count by content.

    `scores`: the course row's figures of the exam; `attempts`: the totals of the stored attempts.
    """

    status: int
    progress: int
    content_status: dict[str, int]
    completed: bool
    certificates: frozenset[str]
    counts: dict[str, tuple[int, int]]
    aggregates: dict[str, float]
    scores: dict[str, float] = field(default_factory=dict)
    attempts: dict[str, str] = field(default_factory=dict)


def expected(scenario: Scenario) -> dict[str, Expected]:
    """The rows of every learner, by the text of the enrolment key."""
    return {learner.key.text: _one(scenario.course_of(learner), learner) for learner in scenario.learners}


def _one(course: Course, learner: Learner) -> Expected:
    done = {*learner.finished, *learner.inherited}
    counted = len(done & course.required)
    complete = counted >= len(course.required)
    statuses = dict.fromkeys(learner.visited, 1) | dict.fromkeys(done, 2)
    touched = set(statuses)
    aggregates = {course.course_id: float(counted)}
    for unit, contents in course.units.items():
        if touched & set(contents):
            aggregates[unit] = float(len((set(contents) - course.optional) & done))
    return Expected(
        status=2 if complete else 1,
        progress=counted,
        content_status=statuses,
        completed=complete,
        certificates=frozenset([*course.templates, *_distinction(course, learner)]) if complete else frozenset(),
        counts=dict.fromkeys(done, (1, 1)),
        aggregates=aggregates,
        scores=_scores(course, learner),
        attempts={f"att-{number}": f"{score}.0/{MAX_SCORE}.0" for number, score in enumerate(learner.scores)},
    )


def _distinction(course: Course, learner: Learner) -> list[str]:
    passed = any(score * 100 >= PASS_PERCENT * MAX_SCORE for score in learner.scores)
    return [course.distinction] if course.distinction and passed else []


def _scores(course: Course, learner: Learner) -> dict[str, float]:
    if not learner.scores:
        return {}
    return {
        f"score:{course.exam}": float(max(learner.scores)),
        f"max_score:{course.exam}": float(MAX_SCORE),
        f"attempts_count:{course.exam}": float(len(learner.scores)),
    }


def markers(scenario: Scenario) -> set[str]:
    """The dedup keys that must exist at the end."""
    return {
        hashlib.md5(
            f"{learner.key.course_id}|{learner.key.batch_id}|{learner.key.user_id}|{content}|2".encode(),
            usedforsecurity=False,
        )
        .hexdigest()
        .upper()
        for learner in scenario.learners
        for content in learner.finished
    }
