"""The demo's course: what the platform has stored, the learners, and the events of their lessons."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lern_tasks.rules.enrolment import EnrolmentKey

_COLLECTION = "application/vnd.ekstep.content-collection"

_FIRST_NAMES = (
    *("Asha", "Ravi", "Meera", "Kabir", "Lakshmi", "Arjun", "Fatima", "Devika", "Imran"),
    *("Nandini", "Joseph", "Sunita", "Harpreet", "Anil", "Zoya", "Tenzin", "Pooja", "Suresh"),
)
_LAST_NAMES = (
    *("Rao", "Sharma", "Iyer", "Khan", "Das", "Nair", "Patel", "Singh", "Bose", "Reddy"),
    *("Fernandes", "Lepcha", "Verma", "Kulkarni", "Mishra", "Ansari", "Gowda", "Joshi", "Pillai"),
)

_EVERY_NTH_STOPS = 5
"""Learners of which the last stops one lesson before the end, so that not all of them get a certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """One enrolled learner; `lessons` are those completed, in order."""

    key: EnrolmentKey
    name: str
    lessons: tuple[str, ...]
    finishes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCourse:
    """A course of two units with a batch and its learners."""

    learners_count: int
    lessons_count: int
    course_id: str = "do_demo_fractions"
    batch_id: str = "0139000000000001"
    name: str = "Fractions for teachers"
    certificate: str = "Course Completion"

    @property
    def lessons(self) -> tuple[str, ...]:
        """Content ids in the order of the course."""
        return tuple(f"do_demo_lesson_{number}" for number in range(1, self.lessons_count + 1))

    @property
    def units(self) -> dict[str, tuple[str, ...]]:
        """Lessons by unit; with a single lesson the second unit is empty and left out."""
        middle = (self.lessons_count + 1) // 2
        halves = {"do_demo_unit_1": self.lessons[:middle], "do_demo_unit_2": self.lessons[middle:]}
        return {unit: lessons for unit, lessons in halves.items() if lessons}

    @property
    def learners(self) -> tuple[Learner, ...]:
        """The learners; every fifth one leaves out the last lesson."""
        return tuple(self._learner(number) for number in range(self.learners_count))

    def hierarchy(self) -> str:
        """The stored tree, as the publication writes it."""
        units = [
            {
                "identifier": unit,
                "name": f"Unit {number}",
                "mimeType": _COLLECTION,
                "visibility": "Parent",
                "children": [
                    {"identifier": lesson, "mimeType": "video/mp4", "visibility": "Default"} for lesson in lessons
                ],
            }
            for number, (unit, lessons) in enumerate(self.units.items(), 1)
        ]
        root = {"identifier": self.course_id, "name": self.name, "mimeType": _COLLECTION, "visibility": "Default"}
        return json.dumps({**root, "leafNodes": self.lessons, "children": units})

    def templates(self) -> dict[str, dict[str, str]]:
        """`cert_templates` of the batch, as the learner service writes them."""
        template = {
            "identifier": "do_demo_template",
            "name": self.certificate,
            "url": "CLOUD_BASE_PATH/certificate.svg",
            "criteria": json.dumps({"enrollment": {"status": 2}}),
            "issuer": json.dumps({"name": "Demo Council of Education", "url": "https://council.example/"}),
            "signatoryList": json.dumps(
                [{"name": "R. Iyer", "id": "CEO", "designation": "CEO", "image": "https://council.example/sign.png"}]
            ),
        }
        return {template["identifier"]: template}

    def users(self) -> dict[str, dict[str, Any]]:
        """The users as the user service knows them."""
        found = {}
        for learner in self.learners:
            first, _, last = learner.name.partition(" ")
            found[learner.key.user_id] = {"firstName": first, "lastName": last, "rootOrgId": "01390000000000000"}
        return found

    def published(self, now_ms: int) -> dict[str, Any]:
        """The event of the course's publication."""
        edata = {
            "action": "post-publish-process",
            "iteration": 1,
            "identifier": self.course_id,
            "mimeType": _COLLECTION,
            "contentType": "Course",
            "pkgVersion": 1,
            "status": "Live",
            "name": self.name,
        }
        return _event("Post Publish Processor", {"id": self.course_id, "ver": str(now_ms)}, edata, now_ms)

    def finished(self, learner: Learner, lesson: str, now_ms: int) -> dict[str, Any]:
        """The event by which the learner service says that a lesson is completed."""
        return self._progress(learner, [{"contentId": lesson, "status": 2}], now_ms, courseId=self.course_id)

    def broken(self, now_ms: int) -> dict[str, Any]:
        """A progress event without course: what a faulty client sends."""
        return self._progress(self.learners[0], [{"contentId": self.lessons[0], "status": 2}], now_ms)

    def _progress(self, learner: Learner, contents: list[dict[str, Any]], now_ms: int, **course: str) -> dict[str, Any]:
        edata = {
            "action": "batch-enrolment-update",
            "iteration": 1,
            "userId": learner.key.user_id,
            "batchId": self.batch_id,
            **course,
            "contents": contents,
        }
        thing = {"id": f"{self.batch_id}_{learner.key.user_id}", "type": "CourseBatchEnrolment"}
        return _event("Course Batch Updater", thing, edata, now_ms)

    def _learner(self, number: int) -> Learner:
        finishes = number % _EVERY_NTH_STOPS != _EVERY_NTH_STOPS - 1
        # The two lists have lengths without common divisor: 342 different names before one comes again.
        name = f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]} {_LAST_NAMES[number % len(_LAST_NAMES)]}"
        key = EnrolmentKey(user_id=f"demo-learner-{number + 1:04d}", course_id=self.course_id, batch_id=self.batch_id)
        lessons = self.lessons if finishes else self.lessons[:-1]
        return Learner(key=key, name=name, lessons=lessons, finishes=finishes)


def interleaved(course: DemoCourse, together: int) -> Iterator[tuple[Learner, str]]:
    """Learners with each lesson that they complete, `together` learners at a time, lesson by lesson."""
    learners = course.learners
    for start in range(0, len(learners), together):
        group = learners[start : start + together]
        for number in range(course.lessons_count):
            for learner in group:
                if number < len(learner.lessons):
                    yield learner, learner.lessons[number]


def _event(actor: str, thing: dict[str, str], edata: dict[str, Any], now_ms: int) -> dict[str, Any]:
    return {
        "eid": "BE_JOB_REQUEST",
        "ets": now_ms,
        "mid": f"LP.{now_ms}.{uuid.uuid4()}",
        "actor": {"id": actor, "type": "System"},
        "context": {"pdata": {"id": "org.sunbird.platform", "ver": "1.0"}},
        "object": thing,
        "edata": edata,
    }
