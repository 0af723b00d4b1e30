"""Settings of the jobs on a learner's progress, beside the documented key that each replaces.

See docs/configuration.md.
"""

from typing import Literal

from lern_tasks.settings.field import documented, ours
from lern_tasks.settings.jobs import JobSettings


class RelationCacheUpdaterSettings(JobSettings):
    """`LERN_RELATION_CACHE_UPDATER__...`"""

    kafka_input_topic: str = documented(
        "{env}.content.postpublish.request", "kafka.input.topic", note="published collections"
    )
    kafka_groupid: str = documented("{env}-relation-cache-updater-group", "kafka.groupId", note="consumer group")
    lms_cassandra_keyspace: str = documented("", "lms-cassandra.keyspace", note="default: {env}_hierarchy_store")
    lms_cassandra_table: str = documented("content_hierarchy", "lms-cassandra.table", note="hierarchies")
    redis_database_index: int | None = documented(None, "redis.database.index", note="relation cache db; default 10")
    dp_redis_host: str = documented("", "dp-redis.host", note="host of the units; default: LERN_REDIS__UNITS")
    dp_redis_port: int | None = documented(None, "dp-redis.port", note="its port")
    dp_redis_database_index: int | None = documented(None, "dp-redis.database.index", note="its db; default 5")


class CourseTablesSettings(JobSettings):
    """The tables of a learner's course, as three jobs name them alike."""

    lms_cassandra_keyspace: str = documented("sunbird_courses", "lms-cassandra.keyspace", note="keyspace")
    lms_cassandra_content_consumption_table: str = documented(
        "user_content_consumption",
        "lms-cassandra.content_consumption.table",
        "lms-cassandra.consumption.table",
        note="a learner's contents",
    )
    lms_cassandra_user_enrolments_table: str = documented(
        "user_enrolments", "lms-cassandra.user_enrolments.table", note="enrolments"
    )
    lms_cassandra_user_activity_agg_table: str = documented(
        "user_activity_agg", "lms-cassandra.user_activity_agg.table", note="aggregates"
    )


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


class AssessmentAggregatorSettings(JobSettings):
    """`LERN_ASSESSMENT_AGGREGATOR__...`"""

    kafka_input_topic: str = documented("{env}.telemetry.assess", "kafka.input.topic", note="attempts")
    kafka_output_failed_topic: str = documented(
        "{env}.telemetry.assess.failed", "kafka.output.failed.topic", "kafka.failed.topic", note="dead letters"
    )
    kafka_certissue_topic: str = documented(
        "{env}.issue.certificate.request",
        "kafka.output.certissue.topic",
        "kafka.certissue.topic",
        note="certificate requests, when the next job is reached by kafka",
    )
    kafka_groupid: str = documented("{env}-assessment-aggregator-group", "kafka.groupId", note="consumer group")
    lms_cassandra_keyspace: str = documented("sunbird_courses", "lms-cassandra.keyspace", note="keyspace")
    lms_cassandra_table: str = documented("assessment_aggregator", "lms-cassandra.table", note="attempts")
    lms_cassandra_questionudttype: str = documented(
        "question", "lms-cassandra.questionudttype", note="the type of an answered question"
    )
    lms_cassandra_enrolmentstable: str = documented(
        "user_enrolments", "lms-cassandra.enrolmentstable", note="has no effect: enrolments are not read"
    )
    lms_cassandra_activitytable: str = documented(
        "user_activity_agg", "lms-cassandra.activitytable", "lms-cassandra.activityytable", note="scores"
    )
    redis_meta_host: str = documented(
        "", "redis-meta.host", note="host of content metadata; default: LERN_REDIS__METADATA"
    )
    redis_meta_port: int | None = documented(None, "redis-meta.port", note="its port")
    redis_database_relationcache_id: int | None = documented(
        None, "redis.database.relationCache.id", note="relation cache db; default 10"
    )
    redis_database_contentcache_id: int | None = documented(
        None, "redis.database.contentCache.id", note="content metadata db; default 5"
    )
    assessment_skip_missingrecords: bool = documented(
        False, "assessment.skip.missingRecords", note="refuse attempts with more questions than the content has"
    )
    user_activity_agg_type: str = documented("attempt_metrics", "user.activity.agg.type", note="type in agg_details")
    content_read_api: str = documented(
        "http://localhost:9000/content/content/v4/read/", "content.read.api", note="URL that a content id is put after"
    )
    leaf_check: Literal["enforce", "log", "off"] = ours(
        "enforce",
        note="an assessed content that is no leaf node of its course: enforce, a dead letter; log, counted and let "
        "through; off, not looked at (a course without any leaf nodes in the cache accepts all)",
    )
    remove_stale_scores: bool = ours(
        False, note="recompute events remove the figures of contents without attempts; false: as the Flink job"
    )
    records: int = ours(50, note="records packed into one task message under backlog, at most")


class MergeUserCoursesSettings(CourseTablesSettings):
    """`LERN_MERGE_USER_COURSES__...`"""

    kafka_input_topic: str = documented("{env}.lms.user.account.merge", "kafka.input.topic", note="merged accounts")
    kafka_output_failed_topic: str = documented(
        "{env}.learning.events.failed", "kafka.output.failed.topic", note="dead letters"
    )
    kafka_output_course_batch_updater_topic: str = documented(
        "{env}.coursebatch.job.request", "kafka.output.course.batch.updater.topic", note="sync events"
    )
    kafka_groupid: str = documented("{env}-merge-courses-group", "kafka.groupId", note="as deployed")
    course_date_format: str = documented(
        "yyyy-MM-dd HH:mm:ss:SSSZ", "course.date.format", note="form of the dates that are stored as text"
    )
    ledger_keyspace: str = ours("lern_tasks", note="keyspace of merge_ledger, a table of our own")
    ledger_table: str = ours("merge_ledger", note="what was added from which account, so that it is added once")
    copy_attempts: bool = ours(False, note="copy assessment attempts too; false: as the Flink job")
