"""What the rows must be, computed one learner after the other without anything of the package's rules."""

import hashlib
from dataclasses import dataclass

from tests.flow.course import Course, Learner, Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The rows of one enrolment. `certificates` are names; `counts` is view and completed count by content."""

    status: int
    progress: int
    content_status: dict[str, int]
    completed: bool
    certificates: frozenset[str]
    counts: dict[str, tuple[int, int]]
    aggregates: dict[str, float]


def expected(scenario: Scenario) -> dict[str, Expected]:
    """The rows of every learner, by the text of the enrolment key."""
    return {learner.key.text: _one(scenario.course_of(learner), learner) for learner in scenario.learners}


def _one(course: Course, learner: Learner) -> Expected:
    done = set(learner.finished)
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
        certificates=frozenset(course.templates) if complete else frozenset(),
        counts=dict.fromkeys(done, (1, 1)),
        aggregates=aggregates,
    )


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
