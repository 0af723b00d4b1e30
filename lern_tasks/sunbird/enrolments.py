"""`user_enrolments`: one learner in one batch of a course. See docs/jobs/activity_aggregate_updater.md, "Rows"."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lern_tasks.errors import LernError
from lern_tasks.jobs.progress.rules.enrolment_row import EnrolmentUpdate, StoredEnrolment
from lern_tasks.storage.gateway import Gateway, Mutation, PutCells, ReplaceCollection, Row
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_PROGRESS_COLUMNS = ("active", "status", "completedon", "issued_certificates")


def row_key(key: EnrolmentKey) -> tuple[str, ...]:
    """The key of the row."""
    return (key.user_id, key.course_id, key.batch_id)


def read(
    gateway: Gateway, table: Table, keys: Sequence[EnrolmentKey]
) -> dict[EnrolmentKey, StoredEnrolment | LernError]:
    """What progress needs of each row; a row that is not there does not exist."""
    found = read_rows(gateway, table, keys, _PROGRESS_COLUMNS)
    return {key: row if isinstance(row, LernError) else _enrolment(row) for key, row in found.items()}


def read_rows(
    gateway: Gateway, table: Table, keys: Sequence[EnrolmentKey], columns: Sequence[str]
) -> dict[EnrolmentKey, Row | None | LernError]:
    """The named columns of each row."""
    by_row = {key: row_key(key) for key in keys}
    found = gateway.get_many(table, list(by_row.values()), columns)
    return {key: found[row] for key, row in by_row.items()}


def write_progress(
    table: Table, key: EnrolmentKey, update: EnrolmentUpdate, *, now: datetime, timestamp: int
) -> list[Mutation]:
    """Write the progress columns, the statuses of contents as a whole.

    In one: a row that is completed is not written again, so nothing may be missing of it.
    """
    cells: dict[str, Any] = {
        "status": update.status,
        "progress": update.progress,
        "datetime": now,
        "contentstatus": dict(update.content_status),
    }
    if update.completed_on is not None:
        cells["completedon"] = update.completed_on
    return [PutCells(table=table, key=row_key(key), cells=cells, timestamp=timestamp)]


def write_certificates(
    table: Table, key: EnrolmentKey, certificates: Sequence[Mapping[str, str]], *, timestamp: int
) -> Mutation:
    """Replace the whole list of issued certificates."""
    return ReplaceCollection(
        table=table,
        key=row_key(key),
        column="issued_certificates",
        value=[dict(certificate) for certificate in certificates],
        timestamp=timestamp,
    )


def _enrolment(row: Row | None) -> StoredEnrolment:
    if row is None:
        return StoredEnrolment(exists=False, active=None, status=None, completed_on=None, issued_names=())
    return StoredEnrolment(
        exists=True,
        active=row["active"],
        status=row["status"],
        completed_on=row["completedon"],
        issued_names=tuple(element.get("name", "") for element in row["issued_certificates"] or ()),
    )
