"""What the demo writes in the platform's place, and what it reads to see how far the jobs are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from lern_tasks.demo.scenario.course import DemoCourse, Learner
from lern_tasks.settings import Settings
from lern_tasks.storage import open_gateway
from lern_tasks.storage.gateway import Mutation, PutCells, PutMap, raise_first, value_of
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import for_job

_COMPLETED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """An enrolment row as the jobs left it; `certificates` are the identifiers by name."""

    key: EnrolmentKey
    status: int
    progress: int
    certificates: Mapping[str, str]

    @property
    def completed(self) -> bool:
        """Whether the course is completed."""
        return self.status == _COMPLETED


class DemoRows:
    """The store as learner service and publication write it, and the enrolments. Methods raise LernError."""

    def __init__(self, settings: Settings) -> None:
        self._gateway = open_gateway(settings)
        self._progress = for_job(settings, "activity_aggregate_updater")
        self._batches = for_job(settings, "collection_cert_pre_processor").course_batch
        self._hierarchies = for_job(settings, "relation_cache_updater").content_hierarchy

    def publish(self, course: DemoCourse) -> None:
        """The course's tree, and its batch with the certificate template."""
        self._write(
            [
                PutCells(table=self._hierarchies, key=(course.course_id,), cells={"hierarchy": course.hierarchy()}),
                PutMap(
                    table=self._batches,
                    key=(course.course_id, course.batch_id),
                    column="cert_templates",
                    entries=course.templates(),
                ),
            ]
        )

    def enrol(self, learners: Iterable[Learner]) -> None:
        """One enrolment a learner, not started, under the old account if there is one; and unreported lessons."""
        now = datetime.now(UTC)
        cells = {"active": True, "status": 0, "progress": 0, "addedby": "self", "enrolled_date": now}
        rows: list[Mutation] = []
        for learner in learners:
            row = _row(replace(learner.key, user_id=learner.old_account or learner.key.user_id))
            rows.append(PutCells(table=self._progress.enrolments, key=row, cells=cells))
            rows += [self._completed(row, lesson) for lesson in learner.unreported]
        self._write(rows)

    def complete_lessons(self, lessons: Iterable[tuple[Learner, str]]) -> None:
        """One row a learner and lesson, completed; the counters are the jobs'."""
        self._write([self._completed(_row(learner.key), lesson) for learner, lesson in lessons])

    def _completed(self, row: tuple[str, str, str], lesson: str) -> PutCells:
        table = self._progress.content_consumption
        return PutCells(table=table, key=(*row, lesson), cells={"status": _COMPLETED})

    def enrolments(self, keys: Sequence[EnrolmentKey]) -> list[Enrolled]:
        """The rows of the enrolments, in the order of `keys`."""
        columns = ("status", "progress", "issued_certificates")
        found = self._gateway.get_many(self._progress.enrolments, [_row(key) for key in keys], columns)
        enrolled = []
        for key in keys:
            row = value_of(found[_row(key)]) or {}
            issued = row.get("issued_certificates") or ()
            enrolled.append(
                Enrolled(
                    key=key,
                    status=row.get("status") or 0,
                    progress=row.get("progress") or 0,
                    certificates={element["name"]: element["identifier"] for element in issued},
                )
            )
        return enrolled

    def close(self) -> None:
        """Close the store."""
        self._gateway.close()

    def _write(self, mutations: Sequence[Mutation]) -> None:
        raise_first(self._gateway.apply(mutations))


def _row(key: EnrolmentKey) -> tuple[str, str, str]:
    return (key.user_id, key.course_id, key.batch_id)
