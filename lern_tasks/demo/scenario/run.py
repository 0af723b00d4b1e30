"""The demo: a course is published, learners complete lessons, progress and certificates come out.

The platform's part is played here; everything else is done by a real bridge, a real worker and beat. See README.md.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from lern_tasks.connections.kafka import KafkaOut, OutMessage
from lern_tasks.connections.redis import RedisRoles
from lern_tasks.demo.scenario.certificates import SavedCertificate, save_certificates
from lern_tasks.demo.scenario.course import DemoCourse, Learner, interleaved
from lern_tasks.demo.scenario.events import accounts_merged, exam_sat, sync_asked
from lern_tasks.demo.scenario.rows import DemoRows, Enrolled
from lern_tasks.demo.servers.failed_topics import FailedTopics
from lern_tasks.demo.servers.stack import EmbeddedStack, StackError
from lern_tasks.settings import Settings

_BROKEN_EVENTS = 1

_TOGETHER = 20
"""Learners who learn at the same time: the first certificates come before the last learner has begun."""

_AT_ONCE = 100
"""Lessons written in one transaction, with their events before and after it."""

_AHEAD = 10_000
"""Events sent and not yet counted: some 4 MB, where the embedded Kafka keeps 5 MiB a partition."""

_LOOK = 0.1
"""Seconds between two looks at the rows; each look takes a few milliseconds for some hundred learners."""

_STALLED = 90.0
"""Seconds without any change after which something is wrong. A record sent again waits ten seconds at most."""

_HTTP_SECONDS = 30.0
"""For one answer of the embedded registry, which draws a certificate in milliseconds on a free machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How far the demo is. `doing` says it in words; numbers are what is stored now; `seconds` since the start.

    `merits` are certificates that the exam earned; `reconciled` enrolments whose events were lost, and `merged` those
    of old accounts, that are completed now.
    """

    doing: str
    events: int = 0
    progressed: int = 0
    completed: int = 0
    exams: int = 0
    certificates: int = 0
    merits: int = 0
    reconciled: int = 0
    merged: int = 0
    dead_letters: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What came out; the numbers are in `reached`.

    Times are in seconds since the start, `processing_seconds` since the first lesson's event.
    """

    events: int
    enrolments: int
    reached: Snapshot
    certificates: tuple[SavedCertificate, ...]
    seconds_to_first_certificate: float
    seconds: float
    processing_seconds: float


class Demo:
    """One run on a started stack. `report` is called at each step and whenever a number changes."""

    def __init__(
        self,
        stack: EmbeddedStack,
        course: DemoCourse,
        *,
        certificates: Path,
        started: float,
        report: Callable[[Snapshot], None],
    ) -> None:
        """Prepare a run.

        Args:
            stack: with bridge and worker running.
            course: course and learners.
            certificates: an existing directory for the SVG files.
            started: what `time.monotonic()` was when the command began.
            report: gets each snapshot.
        """
        self._stack = stack
        self._settings: Settings = stack.settings
        self._course = course
        self._directory = certificates
        self._started = started
        self._report = report
        self._rows = DemoRows(stack.settings)
        self._kafka = KafkaOut(stack.settings.kafka)
        self._failed = FailedTopics(stack.settings)
        self._now = Snapshot(doing="")
        self._first_certificate: float | None = None
        self._next_look = 0.0

    def run(self) -> DemoResult:
        """Play the platform's part and wait for the jobs'. Raises StackError when they stall, or LernError."""
        try:
            self._publish_course()
            self._enrol()
            began = time.monotonic()
            self._complete_lessons()
            self._mend()
            enrolled = self._wait_for_rows()
            ended = time.monotonic()
            self._begin("saving the certificates")
            certificates = save_certificates(self._stack, enrolled, self._directory)
        finally:
            self._close()
        return DemoResult(
            events=self._now.events,
            enrolments=len(enrolled),
            reached=self._now,
            certificates=certificates,
            seconds_to_first_certificate=round((self._first_certificate or ended) - self._started, 2),
            seconds=round(ended - self._started, 2),
            processing_seconds=round(ended - began, 2),
        )

    def _publish_course(self) -> None:
        self._begin("publishing the course")
        self._rows.publish(self._course)
        platform = self._stack.platform_url
        self._put(f"{platform}/_contents", {self._course.course_id: {"name": self._course.name}})
        self._put(f"{platform}/_users", self._course.users())
        topic = self._settings.topic(self._settings.relation_cache_updater.kafka_input_topic)
        self._send(topic, [(self._course.course_id, self._course.published(_now_ms()))])
        roles = RedisRoles(self._settings)
        # Written by the knowledge platform: what kind of content the exam is.
        roles.client("metadata").set(self._course.exam, json.dumps({"contentType": "SelfAssess"}))
        cache = roles.client("relation_cache", "relation_cache_updater")
        key = f"{self._course.course_id}:{self._course.course_id}:leafnodes"
        self._wait(lambda: bool(cache.exists(key)), "the relation cache of the course")
        roles.close()

    def _enrol(self) -> None:
        self._begin("enrolling learners")
        self._rows.enrol(self._course.learners)

    def _complete_lessons(self) -> None:
        self._begin("learners complete lessons")
        topic = self._settings.topic(self._settings.activity_aggregate_updater.kafka_input_topic)
        self._send(topic, [(self._course.learners[0].key.user_id, self._course.broken(_now_ms()))])
        for lessons in _chunks(interleaved(self._course, _TOGETHER), _AT_ONCE):
            # The learner service sends the event first and stores the row then; slow or retried calls turn it round.
            self._send_lessons(topic, lessons[::2])
            self._rows.complete_lessons(lessons)
            self._send_lessons(topic, lessons[1::2])
            if time.monotonic() > self._next_look:
                self._wait(self._keeps_up, "bridge and worker to keep up")

    def _send_lessons(self, topic: str, lessons: list[tuple[Learner, str]]) -> None:
        now = _now_ms()
        course = self._course
        self._send(topic, [(learner.key.user_id, course.finished(learner, lesson, now)) for learner, lesson in lessons])
        sat = [learner for learner, lesson in lessons if lesson == course.exam and learner.marks is not None]
        exams = [(None, exam_sat(learner.key, course.exam, learner.marks or 0, now)) for learner in sat]
        self._send(self._settings.topic(self._settings.assessment_aggregator.kafka_input_topic), exams)
        self._show(replace(self._now, exams=self._now.exams + len(exams)))

    def _mend(self) -> None:
        """Learners without progress press "sync"; the user service merges accounts."""
        self._begin("lost events are reconciled, accounts merged")
        settings, course, now = self._settings, self._course, _now_ms()
        syncs = [(learner.key.user_id, sync_asked(learner.key, now)) for learner in course.with_gap]
        self._send(settings.topic(settings.enrolment_reconciliation.kafka_input_topic), syncs)
        merges = [
            (learner.key.user_id, accounts_merged(learner.old_account, learner.key.user_id, now))
            for learner in course.merged
        ]
        self._send(settings.topic(settings.merge_user_courses.kafka_input_topic), merges)

    def _keeps_up(self) -> bool:
        """Whether the jobs are near: the embedded Kafka drops old records when nobody reads them."""
        began = time.monotonic()
        done = sum(row.progress for row in self._look())
        # Looking takes longer with more learners; it shall not be what the demo does most.
        self._next_look = time.monotonic() + max(_LOOK, 4 * (time.monotonic() - began))
        return self._now.events - done < _AHEAD

    def _wait_for_rows(self) -> list[Enrolled]:
        self._begin("bridge and worker do their part")
        learners = self._course.learners
        certificates = sum(learner.finishes for learner in learners) + sum(learner.passes for learner in learners)

        def done() -> bool:
            enrolled = self._look()
            right = all(row.progress == len(of.lessons) for row, of in zip(enrolled, learners, strict=True))
            return right and self._now.certificates == certificates and self._now.dead_letters >= _BROKEN_EVENTS

        self._wait(done, "the rows and certificates of all learners")
        return self._look()

    def _look(self) -> list[Enrolled]:
        """Read the rows, and report when something has changed."""
        enrolled = self._rows.enrolments([learner.key for learner in self._course.learners])
        done = {row.key for row in enrolled if row.completed}
        found = replace(
            self._now,
            progressed=sum(row.progress > 0 for row in enrolled),
            completed=len(done),
            certificates=sum(len(row.certificates) for row in enrolled),
            merits=sum(self._course.merit in row.certificates for row in enrolled),
            reconciled=sum(learner.key in done for learner in self._course.with_gap),
            merged=sum(learner.key in done for learner in self._course.merged),
            dead_letters=self._failed.count(),
        )
        if found.certificates and self._first_certificate is None:
            self._first_certificate = time.monotonic()
        if found.dead_letters > _BROKEN_EVENTS:
            raise StackError(f"{found.dead_letters} dead letters, expected {_BROKEN_EVENTS}\n{self._logs()}")
        if found != self._now:
            self._show(found)
        return enrolled

    def _send(self, topic: str, events: Sequence[tuple[str | None, Mapping[str, Any]]]) -> None:
        messages = [
            OutMessage(topic=topic, value=json.dumps(event).encode(), key=None if key is None else key.encode())
            for key, event in events
        ]
        for error in self._kafka.publish(messages):
            if error is not None:
                raise error
        self._show(replace(self._now, events=self._now.events + len(messages)))

    def _put(self, address: str, objects: Mapping[str, Any]) -> None:
        with httpx.Client(trust_env=False, timeout=_HTTP_SECONDS) as client:
            client.put(address, json=objects).raise_for_status()

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        """Until `done`; a StackError when nothing has changed for too long, or a process has ended."""
        before, changed = self._now, time.monotonic()
        while not done():
            self._stack.check()
            if replace(self._now, seconds=0) != replace(before, seconds=0):
                before, changed = self._now, time.monotonic()
            if time.monotonic() - changed > _STALLED:
                raise StackError(f"nothing has changed for {_STALLED:g} s, waiting for {what}\n{self._logs()}")
            time.sleep(_LOOK)

    def _begin(self, doing: str) -> None:
        self._show(replace(self._now, doing=doing))

    def _show(self, snapshot: Snapshot) -> None:
        self._now = replace(snapshot, seconds=round(time.monotonic() - self._started, 1))
        self._report(self._now)

    def _logs(self) -> str:
        return "\n".join(child.log() for child in self._stack.processes if child.name in ("bridge", "worker"))

    def _close(self) -> None:
        self._rows.close()
        self._kafka.close()
        self._failed.close()


def _chunks(lessons: Iterator[tuple[Learner, str]], size: int) -> Iterator[list[tuple[Learner, str]]]:
    while chunk := list(islice(lessons, size)):
        yield chunk


def _now_ms() -> int:
    return int(time.time() * 1000)
