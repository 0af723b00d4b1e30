"""Settings of the jobs on progress, beside the documented key that each replaces. See docs/configuration.md."""

from lern_tasks.settings.field import documented, ours
from lern_tasks.settings.jobs import CourseTablesSettings


class ProgressSettings(CourseTablesSettings):
    """What aggregating and reconciling progress share."""

    kafka_audit_topic: str = documented(
        "{env}.telemetry.raw", "kafka.audit.topic", "kafka.output.audit.topic", note="AUDIT telemetry"
    )
    kafka_certissue_topic: str = documented(
        "{env}.issue.certificate.request",
        "kafka.certissue.topic",
        "kafka.output.certissue.topic",
        note="certificate requests, when the next job is reached by kafka",
    )
    redis_database_relationcache_id: int | None = documented(
        None, "redis.database.relationCache.id", note="relation cache db; default 10"
    )
    threshold_batch_write_size: int = documented(10, "threshold.batch.write.size", note="statements of one batch")
    activity_module_aggs_enabled: bool = documented(True, "activity.module.aggs.enabled", note="aggregates of units")
    activity_filter_processed_enrolments: bool = documented(
        True, "activity.filter.processed.enrolments", note="leave completed enrolments as they are"
    )
    activity_collection_status_cache_expiry: int = documented(
        3600, "activity.collection.status.cache.expiry", note="seconds that a collection's status is remembered"
    )
    service_search_basepath: str = documented("http://localhost:9000/search", "service.search.basePath", note="search")
    records: int = ours(100, note="records packed into one task message under backlog, at most")


class ActivityAggregateUpdaterSettings(ProgressSettings):
    """`LERN_ACTIVITY_AGGREGATE_UPDATER__...`"""

    kafka_input_topic: str = documented("{env}.coursebatch.job.request", "kafka.input.topic", note="progress events")
    kafka_output_failed_topic: str = documented(
        "{env}.activity.agg.failed", "kafka.output.failed.topic", note="dead letters"
    )
    kafka_groupid: str = documented("{env}-activity-aggregate-group", "kafka.groupId", note="as deployed")
    dedup_redis_host: str = documented("", "dedup-redis.host", note="host of the markers; default: LERN_REDIS__DEDUP")
    dedup_redis_port: int | None = documented(None, "dedup-redis.port", note="its port")
    dedup_redis_database_index: int | None = documented(None, "dedup-redis.database.index", note="its db; default 13")
    dedup_redis_database_expiry: int = documented(
        604_800, "dedup-redis.database.expiry", note="seconds that a completion is not counted again"
    )
    activity_input_dedup_enabled: bool = documented(True, "activity.input.dedup.enabled", note="count repeats once")


class EnrolmentReconciliationSettings(ProgressSettings):
    """`LERN_ENROLMENT_RECONCILIATION__...`"""

    kafka_input_topic: str = documented("{env}.batch.enrolment.sync.request", "kafka.input.topic", note="sync requests")
    kafka_output_failed_topic: str = documented(
        "{env}.enrolment.reconciliation.failed", "kafka.output.failed.topic", note="dead letters"
    )
    kafka_groupid: str = documented("{env}-enrolment-reconciliation-group", "kafka.groupId", note="as deployed")
