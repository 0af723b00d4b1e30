"""The demo's course: what the platform has stored, the learners, and the events of their lessons."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lern_tasks.demo.scenario.events import QUESTIONS, job_request
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

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

_EVERY_NTH_PASSES = 4
"""Learners of which the first passes the exam, so that not all who finish get the second certificate."""

_PASS_PERCENT = 60

GAPS = 3
"""Learners whose progress events were lost: their lessons are stored, their enrolments say nothing of it."""

MERGED = 3
"""Learners who did the first lessons under another account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """One learner; `lessons` are those completed, in order, and `reported` those of which events come.

    `marks` in the exam, None for who does not sit it. `old_account` did the lessons that are not reported, where there
    is one; otherwise their events were lost.
    """

    key: EnrolmentKey
    name: str
    lessons: tuple[str, ...]
    reported: tuple[str, ...]
    finishes: bool
    marks: int | None = None
    old_account: str = ""

    @property
    def unreported(self) -> tuple[str, ...]:
        """Lessons whose events never come under this account."""
        return self.lessons[: len(self.lessons) - len(self.reported)]

    @property
    def passes(self) -> bool:
        """Whether the marks earn the second certificate."""
        return self.marks is not None and self.marks * 100 >= _PASS_PERCENT * QUESTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCourse:
    """A course of two units with a batch and its learners; its last lesson is an exam."""

    learners_count: int
    lessons_count: int
    course_id: str = "do_demo_fractions"
    batch_id: str = "0139000000000001"
    name: str = "Fractions for teachers"
    certificate: str = "Course Completion"
    merit: str = "Merit"

    @property
    def lessons(self) -> tuple[str, ...]:
        """Content ids in the order of the course."""
        return tuple(f"do_demo_lesson_{number}" for number in range(1, self.lessons_count + 1))

    @property
    def exam(self) -> str:
        """The lesson that is assessed."""
        return self.lessons[-1]

    @property
    def units(self) -> dict[str, tuple[str, ...]]:
        """Lessons by unit; with a single lesson the second unit is empty and left out."""
        middle = (self.lessons_count + 1) // 2
        halves = {"do_demo_unit_1": self.lessons[:middle], "do_demo_unit_2": self.lessons[middle:]}
        return {unit: lessons for unit, lessons in halves.items() if lessons}

    @property
    def learners(self) -> tuple[Learner, ...]:
        """The learners, every fifth of whom leaves out the last lesson; then those with a gap or an old account."""
        usual = [self._learner(number) for number in range(self.learners_count)]
        return (*usual, *self.with_gap, *self.merged)

    @property
    def with_gap(self) -> tuple[Learner, ...]:
        """Learners whose events were lost."""
        return tuple(self._other("gap", number, self.lessons) for number in range(GAPS))

    @property
    def merged(self) -> tuple[Learner, ...]:
        """Learners with an old account."""
        first = self.lessons[: (self.lessons_count + 1) // 2]
        return tuple(self._other("merged", number, first) for number in range(MERGED))

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
        """`cert_templates` of the batch, as the learner service writes them: for finishing, and for passing too."""
        finished = {"enrollment": {"status": 2}}
        passed = {**finished, "assessment": {"score": {">=": _PASS_PERCENT}}}
        return {
            "do_demo_template": self._template("do_demo_template", self.certificate, finished),
            "do_demo_merit": self._template("do_demo_merit", self.merit, passed),
        }

    def _template(self, identifier: str, name: str, criteria: dict[str, Any]) -> dict[str, str]:
        signatory = {"name": "R. Iyer", "id": "CEO", "designation": "CEO", "image": "https://council.example/sign.png"}
        return {
            "identifier": identifier,
            "name": name,
            "url": "CLOUD_BASE_PATH/certificate.svg",
            "criteria": json.dumps(criteria),
            "issuer": json.dumps({"name": "Demo Council of Education", "url": "https://council.example/"}),
            "signatoryList": json.dumps([signatory]),
        }

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
        return job_request("Post Publish Processor", {"id": self.course_id, "ver": str(now_ms)}, edata, now_ms)

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
        return job_request("Course Batch Updater", thing, edata, now_ms)

    def _learner(self, number: int) -> Learner:
        finishes = number % _EVERY_NTH_STOPS != _EVERY_NTH_STOPS - 1
        lessons = self.lessons if finishes else self.lessons[:-1]
        return Learner(
            key=self._key(f"demo-learner-{number + 1:04d}"),
            name=_name(number),
            lessons=lessons,
            reported=lessons,
            finishes=finishes,
            marks=(QUESTIONS if number % _EVERY_NTH_PASSES == 0 else 1) if finishes else None,
        )

    def _other(self, kind: str, number: int, unreported: tuple[str, ...]) -> Learner:
        account = f"demo-{kind}-{number + 1}"
        return Learner(
            key=self._key(account),
            name=_name(self.learners_count + number + (GAPS if kind == "merged" else 0)),
            lessons=self.lessons,
            reported=self.lessons[len(unreported) :],
            finishes=True,
            old_account=f"{account}-before" if kind == "merged" else "",
        )

    def _key(self, user_id: str) -> EnrolmentKey:
        return EnrolmentKey(user_id=user_id, course_id=self.course_id, batch_id=self.batch_id)


def _name(number: int) -> str:
    # The two lists have lengths without common divisor: 342 different names before one comes again.
    return f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]} {_LAST_NAMES[number % len(_LAST_NAMES)]}"


def interleaved(course: DemoCourse, together: int) -> Iterator[tuple[Learner, str]]:
    """Learners with each lesson that events report, `together` learners at a time, lesson by lesson."""
    learners = course.learners
    for start in range(0, len(learners), together):
        group = learners[start : start + together]
        for number in range(course.lessons_count):
            for learner in group:
                if number < len(learner.reported):
                    yield learner, learner.reported[number]
