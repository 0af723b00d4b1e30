"""What becomes of the enrolment row, and when to ask for a certificate. See docs/jobs/activity_aggregate_updater.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lern_tasks.jobs.progress.rules.content_counts import COMPLETED, STARTED
from lern_tasks.jobs.progress.rules.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEnrolment:
    """The `user_enrolments` row as it was read; `issued_names` are the names of the certificates already issued."""

    exists: bool
    active: bool | None
    status: int | None
    completed_on: datetime | None
    issued_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentUpdate:
    """What to write into the row. `completed_on` None leaves its column; `newly_completed`: the row becomes 2 now."""

    status: int
    progress: int
    content_status: Mapping[str, int]
    completed_on: datetime | None
    newly_completed: bool


def decide_enrolment(
    row: StoredEnrolment, progress: Progress, *, now: datetime, filter_processed: bool
) -> EnrolmentUpdate | None:
    """Decide what to write; None leaves the row as it is.

    With `filter_processed` (the default of the setting) an absent row stays absent and a completed one is frozen;
    without it they are written, but a status never goes from 2 to 1 and `completedon` is set once.
    """
    was_complete = row.exists and row.status == COMPLETED
    if filter_processed and (was_complete or not row.exists):
        return None
    complete = was_complete or progress.complete
    return EnrolmentUpdate(
        status=COMPLETED if complete else STARTED,
        progress=progress.completed,
        content_status=progress.content_status,
        completed_on=now if complete and row.completed_on is None else None,
        newly_completed=complete and not was_complete,
    )


def needs_certificate(
    row: StoredEnrolment, update: EnrolmentUpdate | None, progress: Progress, *, delivered_before: bool
) -> bool:
    """Whether to ask the certificate pre-processor, which itself drops what is already issued.

    To be asked for records without dedup marker and for reconciliations (these pass `delivered_before=True`: always).
    It looks at rows alone, so that a request lost with a worker is made again by the next delivery.
    """
    if not progress.complete:
        return False
    if update is None:
        return row.exists and row.status == COMPLETED and (delivered_before or not row.issued_names)
    return update.newly_completed or delivered_before or not row.issued_names
