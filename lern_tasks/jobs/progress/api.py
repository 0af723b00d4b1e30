"""What other domains, and administrators' tasks, use of progress."""

from lern_tasks.jobs.progress.enrolment_reconciliation import Reconciliation, reconcile
from lern_tasks.jobs.progress.overdue import overdue
from lern_tasks.jobs.progress.resources import ProgressResources
from lern_tasks.jobs.progress.rows import progress_lock
from lern_tasks.jobs.progress.sync_request import sync_handoff

__all__ = ["ProgressResources", "Reconciliation", "overdue", "progress_lock", "reconcile", "sync_handoff"]
