"""The rules of progress under one name: merging contents, counting them, deciding the enrolment row.

See docs/jobs/activity_aggregate_updater.md, section "Rules". Shared by aggregation and reconciliation, which therefore
cannot disagree.
"""

from lern_tasks.jobs.progress.rules.content_counts import (
    COMPLETED,
    STARTED,
    Action,
    Counts,
    MergedContent,
    Pending,
    StoredContent,
    dedup_checksum,
    merge_consumption,
)
from lern_tasks.jobs.progress.rules.enrolment_row import (
    EnrolmentUpdate,
    StoredEnrolment,
    decide_enrolment,
    needs_certificate,
)
from lern_tasks.jobs.progress.rules.progress import CourseRelations, Progress, compute_progress, units_of

__all__ = [
    "COMPLETED",
    "STARTED",
    "Action",
    "Counts",
    "CourseRelations",
    "EnrolmentUpdate",
    "MergedContent",
    "Pending",
    "Progress",
    "StoredContent",
    "StoredEnrolment",
    "compute_progress",
    "decide_enrolment",
    "dedup_checksum",
    "merge_consumption",
    "needs_certificate",
    "units_of",
]
