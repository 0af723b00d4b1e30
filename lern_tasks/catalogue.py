"""Names of tasks, queues and topics, each derived from the job's one name. See docs/architecture.md, "Names"."""

from typing import Literal, get_args

EventJob = Literal[
    "relation_cache_updater",
    "activity_aggregate_updater",
    "assessment_aggregator",
    "enrolment_reconciliation",
    "merge_user_courses",
    "collection_cert_pre_processor",
    "collection_certificate_generator",
    "user_cache_updater",
]
"""The jobs that take events from a topic."""

ProgressJob = Literal["activity_aggregate_updater", "enrolment_reconciliation"]
"""The jobs that compute progress."""

FollowUp = Literal["certificate_notification", "certificate_user_feed", "certificate_replacement"]
"""What follows an issued certificate; by Celery only. `certificate_replacement` deletes the certificate replaced."""

JobName = EventJob | FollowUp

EVENT_JOBS: tuple[EventJob, ...] = get_args(EventJob)
FOLLOW_UPS: tuple[FollowUp, ...] = get_args(FollowUp)
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
