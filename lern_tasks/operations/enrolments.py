"""Which rows administrators' tasks are about. See docs/administration.md, "Where enrolments are found"."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from lern_tasks.delivery.record import Coordinates, Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.jobs.certificates.api import PRE_PROCESSOR
from lern_tasks.jobs.progress.api import ProgressResources, overdue
from lern_tasks.storage.gateway import Row, value_of
from lern_tasks.sunbird.batch_enrolments import BatchEnrolments
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.enrolments import Enrolments
from lern_tasks.sunbird.table_names import JobTables, for_job

COMPLETE: Final = 2
_BEGUN: Final = 1

_SCANNED = 1000
"""Rows read at once while a batch is looked for, in a tenth of a second; a page of many chunks is read for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentChunk:
    """Enrolments to be worked on; `after` resumes behind them, None is the end. `page` is where their page begins."""

    keys: Sequence[EnrolmentKey]
    page: str | None
    after: str | None
    done: float

    def behind(self, key: EnrolmentKey) -> str:
        """What resumes behind `key`, when not all of the chunk could be worked on."""
        return _place(self.page, key)


def next_chunk(
    ctx: Resources,
    after: str | None,
    *,
    size: int,
    course_id: str | None = None,
    batch_id: str | None = None,
    columns: Sequence[str] = (),
    chosen: Callable[[Mapping[EnrolmentKey, Row]], Iterable[EnrolmentKey]] = lambda found: found,
) -> EnrolmentChunk:
    """The next enrolments, `size` at most, perhaps none; of all those of a page they are taken in order of their keys.

    `chosen`: of the rows of a page, with their `columns`, those that are wanted.
    So rows that come or go while a page is worked on move no other. Raises LernError.
    """
    page_after, behind = msgspec.json.decode(after, type=tuple[str | None, list[str]]) if after else (None, [])
    source = BatchEnrolments(
        gateway=ctx.gateway, tables=_tables(ctx), use_copy=ctx.settings.tasks.use_report_enrolments
    )
    page = source.page(course_id=course_id, batch_id=batch_id, columns=columns, after=page_after, limit=_SCANNED)
    keys = sorted(key for key in chosen(page.found) if _parts(key) > behind)
    if len(keys) > size:
        return EnrolmentChunk(keys=keys[:size], page=page_after, after=_place(page_after, keys[size - 1]), done=0.0)
    resume = None if page.after is None else _place(page.after, None)
    return EnrolmentChunk(keys=keys, page=page_after, after=resume, done=page.done)


def _place(page: str | None, key: EnrolmentKey | None) -> str:
    return msgspec.json.encode((page, _parts(key) if key else [])).decode()


def _parts(key: EnrolmentKey) -> list[str]:
    return [key.user_id, key.course_id, key.batch_id]


def rows(ctx: Resources, keys: Sequence[EnrolmentKey]) -> dict[EnrolmentKey, Row | None]:
    """What there is of each enrolment, None where there is no row. Raises the first error."""
    columns = ("active", "status", "issued_certificates", "contentstatus")
    found = Enrolments(ctx.gateway, _tables(ctx).enrolments).read_rows(keys, columns)
    return {key: value_of(row) for key, row in found.items()}


def of_users(ctx: Resources, users: Sequence[str], columns: Sequence[str]) -> dict[str, dict[EnrolmentKey, Row]]:
    """All enrolments of each user, with these columns. Raises the first error."""
    found = ctx.gateway.select_many(
        _tables(ctx).enrolments, [(user,) for user in users], ("courseid", "batchid", *columns)
    )
    return {
        user: {
            EnrolmentKey(user_id=user, course_id=row["courseid"], batch_id=row["batchid"]): row
            for row in value_of(found[user,])
        }
        for user in users
    }


def overdue_of(ctx: Resources, found: Mapping[EnrolmentKey, Row | None]) -> frozenset[EnrolmentKey]:
    """Those in progress that are complete by the present contents of their course. Raises DependencyDown."""
    begun = {
        key: row["contentstatus"] or {}
        for key, row in found.items()
        if row is not None and row["active"] is True and row["status"] == _BEGUN
    }
    return overdue(begun, ctx.view(ProgressResources))


def batch_exists(ctx: Resources, course_id: str, batch_id: str) -> bool:
    """Whether the course has such a batch. Raises LernError."""
    (found,) = ctx.gateway.get_many(_tables(ctx).course_batch, [(course_id, batch_id)], ("batchid",)).values()
    # A store in a file has no row without a column of ours, as for a batch without template: then learners prove it.
    return value_of(found) is not None or bool(
        next_chunk(ctx, None, size=1, course_id=course_id, batch_id=batch_id).keys
    )


def cause(ctx: Resources, task_id: str) -> Record:
    """The record that stands for a run in what it hands off: the ids of those messages, too, are the run's own."""
    return Record(
        value=None, topic=f"run:{task_id}", timestamp=ctx.now_ms(), origin=Coordinates(topic=task_id), bulk=True
    )


def _tables(ctx: Resources) -> JobTables:
    """As the settings of the pre-processor name them: it is the job that knows both enrolments and batches."""
    return for_job(ctx.settings, PRE_PROCESSOR)
