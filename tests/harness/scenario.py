"""A course with learners, made from a seed, for the flow and kill tests: what is stored before, and the events."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

from lern_tasks.sunbird.enrolment_key import EnrolmentKey

COLLECTION = "application/vnd.ekstep.content-collection"

PASS_PERCENT = 60
MAX_SCORE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Units with contents; `optional` contents do not count. `templates` are certificate names.

    `exam` is the content that is assessed; `distinction` the name of a further template, for 60 percent of it.
    """

    course_id: str
    batch_id: str
    units: dict[str, tuple[str, ...]]
    optional: frozenset[str] = frozenset()
    templates: tuple[str, ...] = ("Course Merit",)
    exam: str = ""
    distinction: str = ""

    @property
    def contents(self) -> tuple[str, ...]:
        return tuple(content for unit in self.units.values() for content in unit)

    @property
    def required(self) -> frozenset[str]:
        return frozenset(self.contents) - self.optional

    def hierarchy(self) -> str:
        """The stored tree, as the knowledge platform publishes it."""

        def leaf(content: str) -> dict[str, Any]:
            node: dict[str, Any] = {"identifier": content, "mimeType": "video/mp4", "visibility": "Default"}
            if content in self.optional:
                node["relationalMetadata"] = {"optional": True}
            return node

        units = [
            {
                "identifier": unit,
                "mimeType": COLLECTION,
                "visibility": "Parent",
                "children": [leaf(content) for content in contents],
            }
            for unit, contents in self.units.items()
        ]
        return json.dumps(
            {
                "identifier": self.course_id,
                "mimeType": COLLECTION,
                "visibility": "Default",
                "leafNodes": list(self.contents),
                "children": units,
            }
        )

    def template_rows(self, base: str) -> dict[str, dict[str, str]]:
        """`cert_templates` as the learner service writes it."""
        scored = {"enrollment": {"status": 2}, "assessment": {"score": {">=": PASS_PERCENT}}}
        criteria: list[tuple[str, Any]] = [(name, {"enrollment": {"status": 2}}) for name in self.templates]
        criteria += [(self.distinction, scored)] if self.distinction else []
        return {
            f"tpl_{number}": {
                "identifier": f"tpl_{number}",
                "name": name,
                "url": f"{base}/templates/{number}.svg",
                "criteria": json.dumps(asked),
                "issuer": json.dumps({"name": "State Council", "url": "https://council.example/"}),
                "signatoryList": json.dumps(
                    [{"name": "R. Iyer", "id": "CEO", "designation": "CEO", "image": "https://cdn.example/sign.png"}]
                ),
            }
            for number, (name, asked) in enumerate(criteria)
        }

    def published(self) -> dict[str, Any]:
        """The event of the publication."""
        return {
            "eid": "BE_JOB_REQUEST",
            "ets": 1700000000000,
            "mid": f"LP.{self.course_id}",
            "actor": {"id": "Post Publish Processor", "type": "System"},
            "object": {"id": self.course_id, "ver": "1"},
            "edata": {
                "action": "post-publish-process",
                "iteration": 1,
                "identifier": self.course_id,
                "mimeType": COLLECTION,
                "status": "Live",
            },
        }


@dataclass(slots=True, kw_only=True)
class Learner:
    """One enrolment: contents finished, in order; `stored` ones have their row before the events come.

    `scores`: of each attempt at the exam. `merged_from`: another account of the same person, whose contents `inherited`
    are merged into this one; only that account is enrolled, unless `enrolled`.
    """

    key: EnrolmentKey
    finished: list[str]
    stored: frozenset[str]
    visited: frozenset[str] = frozenset()
    scores: tuple[int, ...] = ()
    merged_from: str = ""
    inherited: tuple[str, ...] = ()
    enrolled: bool = True


@dataclass(slots=True, kw_only=True)
class Scenario:
    """Courses, learners and the events of their lessons, in the order of finishing."""

    courses: list[Course]
    learners: list[Learner] = field(default_factory=list)

    def course_of(self, learner: Learner) -> Course:
        return next(course for course in self.courses if course.course_id == learner.key.course_id)

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Kafka key and event of each finished lesson, learners interleaved."""
        rounds: list[tuple[str, dict[str, Any]]] = []
        longest = max(len(learner.finished) for learner in self.learners)
        for index in range(longest):
            rounds += [
                (learner.key.user_id, finished(learner.key, [learner.finished[index]]))
                for learner in self.learners
                if index < len(learner.finished)
            ]
        return rounds


def finished(key: EnrolmentKey, contents: list[str]) -> dict[str, Any]:
    """The event by which the learner service says that contents are completed."""
    return {
        "eid": "BE_JOB_REQUEST",
        "ets": 1700000000000,
        "mid": f"LP.{key.text}.{'.'.join(contents)}",
        "actor": {"id": "Course Batch Updater", "type": "System"},
        "context": {"pdata": {"id": "org.sunbird.platform", "ver": "1.0"}},
        "object": {"id": f"{key.batch_id}_{key.user_id}", "type": "CourseBatchEnrolment"},
        "edata": {
            "action": "batch-enrolment-update",
            "iteration": 1,
            "userId": key.user_id,
            "batchId": key.batch_id,
            "courseId": key.course_id,
            "contents": [{"contentId": content, "status": 2} for content in contents],
        },
    }


def make_course(
    name: str, *, lessons: int = 5, optional: int = 0, templates: tuple[str, ...] = ("Course Merit",)
) -> Course:
    """A course of two units."""
    contents = [f"{name}_r{number}" for number in range(1, lessons + 1)]
    half = (lessons + 1) // 2
    return Course(
        course_id=f"do_{name}",
        batch_id=f"b_{name}",
        units={f"{name}_un1": tuple(contents[:half]), f"{name}_un2": tuple(contents[half:])},
        optional=frozenset(contents[lessons - optional :]),
        templates=templates,
    )


def make_scenario(seed: int, *, learners: int, courses: list[Course], stored_share: float = 0.5) -> Scenario:
    """Learners of which about two in three finish; for some the learner service has stored the rows already.

    A learner without stored rows finishes required contents only: what is done after the completion does not change a
    completed row, so that the result would depend on the order of events.
    """
    rng = random.Random(seed)
    scenario = Scenario(courses=courses)
    for number in range(learners):
        course = courses[number % len(courses)]
        stored = rng.random() < stored_share
        pool = list(course.contents) if stored else sorted(course.required)
        rng.shuffle(pool)
        all_done = rng.random() < 2 / 3
        done = pool if all_done else pool[: rng.randint(1, max(1, len(pool) - 1))]
        key = EnrolmentKey(user_id=f"u-{seed}-{number}", course_id=course.course_id, batch_id=course.batch_id)
        scenario.learners.append(
            Learner(
                key=key,
                finished=list(done),
                stored=frozenset(done) if stored else frozenset(),
                visited=frozenset(content for content in course.contents if content not in done)
                if stored
                else frozenset(),
            )
        )
    return scenario
