"""The routes: which topic's records go to which task. See docs/architecture.md, "Routes".

With the default settings:

job                               topic                              consumer group                            records
relation_cache_updater            {env}.content.postpublish.request  {env}-relation-cache-updater-group        1
activity_aggregate_updater        {env}.coursebatch.job.request      {env}-activity-aggregate-group            100
assessment_aggregator             {env}.telemetry.assess             {env}-assessment-aggregator-group         50
enrolment_reconciliation          {env}.batch.enrolment.sync.request {env}-enrolment-reconciliation-group      100
merge_user_courses                {env}.lms.user.account.merge       {env}-merge-courses-group                 1
collection_cert_pre_processor     {env}.issue.certificate.request    {env}-collection-cert-pre-processor-group 20
collection_certificate_generator  {env}.generate.certificate.request {env}-certificate-generator-group         1
user_cache_updater                {env}.telemetry.audit              {env}-user-cache-updater-group            100

The task is `lern.<job>`, the queue the job's name with dashes.
"""

from dataclasses import dataclass

from lern_tasks import catalogue as topics
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
    return tuple(_route(settings, job) for job in topics.EVENT_JOBS)


def _route(settings: Settings, job: EventJob) -> Route:
    own = settings.job(job)
    return Route(
        job=job,
        topic=settings.topic(own.kafka_input_topic),
        task=topics.task_name(job),
        queue=topics.queue_name(job),
        group=settings.topic(own.kafka_groupid),
        failed_topic=settings.failed_topic(job),
        records=settings.records_per_task(job),
        time_limit=settings.hard_time_limit(job),
    )
