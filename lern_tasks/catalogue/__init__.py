"""THE table of jobs (`table.py`), and whatever lists jobs: names, queues, task modules. See docs/adding-a-job.md.

Data only, without I/O and settings: the bridge reads it too.
"""

from collections.abc import Mapping
from typing import cast

from lern_tasks.catalogue.row import EventJob, FollowUp, Job, JobName, ProgressJob, RedisRole
from lern_tasks.catalogue.table import JOBS as _ROWS
from lern_tasks.catalogue.table import TASKS

__all__ = [
    "BULK_QUEUE",
    "EVENT_JOBS",
    "FOLLOW_UPS",
    "JOBS",
    "MAINTENANCE_QUEUE",
    "QUEUES",
    "ROUTES",
    "ROWS",
    "TASKS",
    "TASK_MODULES",
    "UNKNOWN_JOB_FAILED",
    "EventJob",
    "FollowUp",
    "Job",
    "JobName",
    "ProgressJob",
    "RedisRole",
    "dashed",
    "queue_name",
    "task_name",
    "topic_name",
]

ROWS: Mapping[JobName, Job] = {row.name: row for row in _ROWS}
"""Each job's row."""

EVENT_JOBS = cast("tuple[EventJob, ...]", tuple(row.name for row in _ROWS if not row.follows))
FOLLOW_UPS = cast("tuple[FollowUp, ...]", tuple(row.name for row in _ROWS if row.follows))
JOBS: tuple[JobName, ...] = (*EVENT_JOBS, *FOLLOW_UPS)

BULK_QUEUE = "bulk"
"""Replays and mass work: never before live learners."""

MAINTENANCE_QUEUE = "maintenance"
"""Small periodic tasks of the system itself."""

UNKNOWN_JOB_FAILED = "{env}.lern.tasks.failed"
"""Dead letters of what belongs to no job with a documented failed topic."""


def task_name(job: JobName) -> str:
    """The Celery task of `job`. It travels in messages, so it is a public contract."""
    return f"lern.{job}"


def dashed(job: str) -> str:
    """The job's name as queues, metrics and consumer groups write it."""
    return job.replace("_", "-")


def queue_name(job: JobName) -> str:
    """The queue on which workers take the job's tasks."""
    return dashed(job)


def topic_name(template: str, env: str) -> str:
    """`template` with the environment filled in for `{env}`, or `{{env}}` as the documents write it."""
    return template.replace("{{env}}", env).replace("{env}", env)


QUEUES: tuple[str, ...] = (*(queue_name(job) for job in JOBS), BULK_QUEUE, MAINTENANCE_QUEUE)
"""Every queue; a bare `celery -A lern_tasks worker` takes from all."""

ROUTES: Mapping[str, str] = {
    **{task_name(job): queue_name(job) for job in JOBS},
    **{name: MAINTENANCE_QUEUE for tasks in TASKS for name in tasks.maintenance},
    # What people trigger, through Flower for instance, never delays live learners.
    "lern.*": BULK_QUEUE,
}
"""Each task's queue."""

TASK_MODULES: tuple[str, ...] = (*(ROWS[job].module for job in JOBS), *(tasks.module for tasks in TASKS))
"""Every module with tasks; nothing is found by itself."""
