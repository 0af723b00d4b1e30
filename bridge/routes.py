"""The routes: which topic's records go to which task. See docs/architecture.md, "Routes"."""

from dataclasses import dataclass

from lern_tasks import catalogue
from lern_tasks.catalogue import EventJob
from lern_tasks.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The way of one job's records.

    `records` is how many of them one task message takes at most; `time_limit` the seconds after which the task is
    ended.
    """

    job: EventJob
    topic: str
    task: str
    queue: str
    group: str
    failed_topic: str
    records: int
    time_limit: int


def routes(settings: Settings) -> tuple[Route, ...]:
    """One route a job that takes events from a topic."""
    return tuple(_route(settings, job) for job in catalogue.EVENT_JOBS)


def _route(settings: Settings, job: EventJob) -> Route:
    own = settings.job(job)
    return Route(
        job=job,
        topic=settings.topic(own.kafka_input_topic),
        task=catalogue.task_name(job),
        queue=catalogue.queue_name(job),
        group=settings.topic(own.kafka_groupid),
        failed_topic=settings.failed_topic(job),
        records=settings.records_per_task(job),
        time_limit=settings.hard_time_limit(job),
    )
