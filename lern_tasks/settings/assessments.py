"""Settings of the assessments, beside the documented key that each replaces. See docs/configuration.md."""

from typing import Literal

from lern_tasks.settings.field import documented, ours
from lern_tasks.settings.jobs import JobSettings


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
