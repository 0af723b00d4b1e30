"""The rows that progress is computed from and written to. See docs/jobs/activity_aggregate_updater.md, "Rows"."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from lern_tasks.catalogue import ProgressJob
from lern_tasks.errors import LernError
from lern_tasks.jobs.progress.content_consumption import ContentConsumption
from lern_tasks.jobs.progress.rules.content_counts import StoredContent
from lern_tasks.jobs.progress.rules.decision import ProgressDecision
from lern_tasks.jobs.progress.rules.enrolment_row import EnrolmentUpdate, StoredEnrolment
from lern_tasks.jobs.progress.rules.progress import Progress
from lern_tasks.metrics import count
from lern_tasks.storage.gateway import Gateway, Mutation, Row
from lern_tasks.sunbird.activity_aggregates import ActivityAggregates
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.enrolments import Enrolments
from lern_tasks.sunbird.table_names import JobTables

_COLUMNS = ("active", "status", "completedon", "issued_certificates")

_COMPLETED = "completedCount"


def progress_lock(key: EnrolmentKey) -> str:
    """The name of the lock that all rows of an enrolment's progress and scores are written under."""
    return f"progress:{key.text}"


class ProgressRows:
    """Contents, enrolments and aggregates in the tables of `job`: one round trip a table for any number of keys."""

    def __init__(self, job: ProgressJob, gateway: Gateway, tables: JobTables, *, batch_size: int) -> None:
        self._job = job
        self._gateway = gateway
        self._batch_size = batch_size
        self._contents = ContentConsumption(gateway, tables.content_consumption)
        self._enrolments = Enrolments(gateway, tables.enrolments)
        self._aggregates = ActivityAggregates(gateway, tables.activity_agg)

    def read_contents(self, keys: Sequence[EnrolmentKey]) -> dict[EnrolmentKey, dict[str, StoredContent] | LernError]:
        """The contents of each enrolment, by content id."""
        return self._contents.read(keys)

    def read_enrolments(self, keys: Sequence[EnrolmentKey]) -> dict[EnrolmentKey, StoredEnrolment | LernError]:
        """What progress needs of each enrolment row; a row that is not there does not exist."""
        found = self._enrolments.read_rows(keys, _COLUMNS)
        return {key: row if isinstance(row, LernError) else _enrolment(row) for key, row in found.items()}

    def write(
        self, decisions: Iterable[ProgressDecision], tokens: Mapping[EnrolmentKey, int], *, now: datetime
    ) -> dict[EnrolmentKey, LernError]:
        """Write the rows of all decisions at once, each with its lock's fencing token; the errors by enrolment."""
        changes: list[Mutation] = []
        owners: list[EnrolmentKey] = []
        for decision in decisions:
            own = self.changes(decision, now=now, timestamp=tokens[decision.key])
            changes += own
            owners += [decision.key] * len(own)
            if decision.update is not None:
                count("enrolment-complete-count", decision.update.newly_completed, job=self._job)
        count("db-update-count", len(changes), job=self._job)
        results = self._gateway.apply(changes, batch_size=self._batch_size)
        return {owner: error for owner, error in zip(owners, results, strict=True) if error is not None}

    def changes(self, decision: ProgressDecision, *, now: datetime, timestamp: int) -> list[Mutation]:
        """What one decision changes: counters, aggregates, the enrolment row."""
        key = decision.key
        changes = self._contents.put_counts(key, decision.merged, timestamp=timestamp)
        if decision.progress is not None:
            changes += self._put_completed(key, decision.progress, now, timestamp)
        if decision.update is not None:
            changes.append(self._enrolments.put(key, _cells(decision.update, now), timestamp=timestamp))
        return changes

    def _put_completed(self, key: EnrolmentKey, progress: Progress, now: datetime, timestamp: int) -> list[Mutation]:
        """Put the number of completed contents of the course and its units; other entries of the maps stay."""
        counts = {key.course_id: progress.completed, **progress.units}
        return [
            self._aggregates.put(key, activity_id, column, {_COMPLETED: value}, timestamp=timestamp)
            for activity_id, completed in counts.items()
            for column, value in (("aggregates", float(completed)), ("agg_last_updated", now))
        ]


def _cells(update: EnrolmentUpdate, now: datetime) -> dict[str, Any]:
    """The progress columns, the statuses of contents as a whole.

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
    return cells


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
