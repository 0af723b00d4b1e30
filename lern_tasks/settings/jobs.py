"""Settings of each job, beside the documented key that each replaces. See docs/jobs/ and docs/configuration.md."""

from typing import Literal

from pydantic import SecretStr

from lern_tasks.settings.field import documented, ours
from lern_tasks.settings.shared import Scope

HandOn = Literal["celery", "kafka"]


class JobSettings(Scope):
    """What every job that takes events has: topic, consumer group, failed topic, size and time of its tasks."""

    kafka_input_topic: str = documented("", "kafka.input.topic", note="topic that the events are read from")
    kafka_groupid: str = documented("", "kafka.groupId", note="consumer group")
    kafka_output_failed_topic: str = documented(
        "{env}.lern.tasks.failed", "kafka.output.failed.topic", "kafka.failed.topic", note="dead letters"
    )
    threshold_batch_read_size: int = documented(
        1000, "threshold.batch.read.size", note="records of one message, at most; the route's own size is lower"
    )
    threshold_batch_read_interval: str = documented("", "threshold.batch.read.interval", note="has no effect")
    records: int = ours(1, note="records packed into one task message under backlog, at most")
    soft_time_limit: int = ours(90, note="seconds after which a task stops and sends what is left again")
    hand_on: HandOn = ours("celery", note="how our jobs reach this one: celery, or kafka (a Flink job takes it)")

    @property
    def packed(self) -> int:
        """Records of one message under backlog."""
        return max(1, min(self.records, self.threshold_batch_read_size))


class CloudStorageSettings(JobSettings):
    """The placeholder in stored URLs and what stands for it."""

    cloud_storage_base_url: str = documented("", "cloud_storage_base_url", note="base URL of the cloud storage")
    cloud_store_base_path_placeholder: str = documented(
        "CLOUD_BASE_PATH", "cloud_store_base_path_placeholder", note="what stored URLs begin with"
    )
    content_cloud_storage_container: str = documented("", "content_cloud_storage_container", note="container")
    cloud_storage_cname_url: str = documented("", "cloud_storage_cname_url", note="used instead of the base URL")

    @property
    def cloud_base(self) -> str:
        """What the placeholder is replaced by: the cname or base URL, and the container."""
        base = (self.cloud_storage_cname_url or self.cloud_storage_base_url).rstrip("/")
        return f"{base}/{self.content_cloud_storage_container}"

    def opened(self, stored: str) -> str:
        """A stored URL as others can open it."""
        placeholder = self.cloud_store_base_path_placeholder
        return stored.replace(placeholder, self.cloud_base) if placeholder else stored


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


class ActivityAggregateUpdaterSettings(JobSettings):
    """`LERN_ACTIVITY_AGGREGATE_UPDATER__...`"""

    kafka_input_topic: str = documented("{env}.coursebatch.job.request", "kafka.input.topic", note="progress events")
    kafka_output_failed_topic: str = documented(
        "{env}.activity.agg.failed", "kafka.output.failed.topic", note="dead letters"
    )
    kafka_audit_topic: str = documented(
        "{env}.telemetry.raw", "kafka.audit.topic", "kafka.output.audit.topic", note="AUDIT telemetry"
    )
    kafka_certissue_topic: str = documented(
        "{env}.issue.certificate.request",
        "kafka.certissue.topic",
        "kafka.output.certissue.topic",
        note="certificate requests, when the next job is reached by kafka",
    )
    kafka_enrolment_sync_topic: str = ours(
        "{env}.batch.enrolment.sync.request", note="where sync events of merged accounts are handed on to"
    )
    kafka_groupid: str = documented("{env}-activity-aggregate-group", "kafka.groupId", note="as deployed")
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
    redis_database_relationcache_id: int | None = documented(
        None, "redis.database.relationCache.id", note="relation cache db; default 10"
    )
    dedup_redis_host: str = documented("", "dedup-redis.host", note="host of the markers; default: LERN_REDIS__DEDUP")
    dedup_redis_port: int | None = documented(None, "dedup-redis.port", note="its port")
    dedup_redis_database_index: int | None = documented(None, "dedup-redis.database.index", note="its db; default 13")
    dedup_redis_database_expiry: int = documented(
        604_800, "dedup-redis.database.expiry", note="seconds that a completion is not counted again"
    )
    threshold_batch_write_size: int = documented(10, "threshold.batch.write.size", note="statements of one batch")
    activity_module_aggs_enabled: bool = documented(True, "activity.module.aggs.enabled", note="aggregates of units")
    activity_input_dedup_enabled: bool = documented(True, "activity.input.dedup.enabled", note="count repeats once")
    activity_filter_processed_enrolments: bool = documented(
        True, "activity.filter.processed.enrolments", note="leave completed enrolments as they are"
    )
    activity_collection_status_cache_expiry: int = documented(
        3600, "activity.collection.status.cache.expiry", note="seconds that a collection's status is remembered"
    )
    service_search_basepath: str = documented("http://localhost:9000/search", "service.search.basePath", note="search")
    records: int = ours(100, note="records packed into one task message under backlog, at most")


class CollectionCertPreProcessorSettings(CloudStorageSettings):
    """`LERN_COLLECTION_CERT_PRE_PROCESSOR__...`"""

    kafka_input_topic: str = documented("{env}.issue.certificate.request", "kafka.input.topic", note="requests")
    kafka_output_failed_topic: str = documented(
        "{env}.issue.certificate.failed", "kafka.output.failed.topic", note="dead letters"
    )
    kafka_output_topic: str = documented("{env}.generate.certificate.request", "kafka.output.topic", note="to generate")
    kafka_groupid: str = documented("{env}-collection-cert-pre-processor-group", "kafka.groupId", note="as deployed")
    lms_cassandra_keyspace: str = documented("sunbird_courses", "lms-cassandra.keyspace", note="keyspace")
    lms_cassandra_course_batch_table: str = documented(
        "course_batch", "lms-cassandra.course_batch.table", note="batches"
    )
    lms_cassandra_user_enrolments_table: str = documented(
        "user_enrolments", "lms-cassandra.user_enrolments.table", note="enrolments"
    )
    lms_cassandra_assessment_aggregator_table: str = documented(
        "assessment_aggregator",
        "lms-cassandra.assessment_aggregator.table",
        note="has no effect: scores are in user_activity_agg",
    )
    lms_cassandra_user_activity_agg_table: str = documented(
        "user_activity_agg", "lms-cassandra.user_activity_agg.table", note="scores"
    )
    cert_domain_url: str = documented("http://localhost", "cert_domain_url", note="certificates' base address")
    user_read_api: str = documented("/private/user/v1/read", "user_read_api", note="path of the user service")
    content_read_api: str = documented("/content/v4/read", "content_read_api", note="path of the content service")
    service_content_basepath: str = documented(
        "http://localhost:9000/content", "service.content.basePath", note="content"
    )
    service_learner_basepath: str = documented(
        "http://localhost:9000/learner", "service.learner.basePath", note="users"
    )
    assessment_metrics_supported_contenttype: list[str] = documented(
        ["SelfAssess"], "assessment.metrics.supported.contenttype", note="content types that count as assessments"
    )
    enable_suppress_exception: bool = documented(
        True, "enable.suppress.exception", note="content without metadata is passed over instead of refused"
    )
    records: int = ours(20, note="records packed into one task message under backlog, at most")


class CollectionCertificateGeneratorSettings(CloudStorageSettings):
    """`LERN_COLLECTION_CERTIFICATE_GENERATOR__...`"""

    kafka_input_topic: str = documented("{env}.generate.certificate.request", "kafka.input.topic", note="to generate")
    kafka_output_failed_topic: str = documented(
        "{env}.generate.certificate.failed", "kafka.output.failed.topic", note="dead letters"
    )
    kafka_audit_topic: str = documented(
        "{env}.telemetry.raw", "kafka.output.audit.topic", "kafka.audit.topic", note="AUDIT telemetry"
    )
    kafka_groupid: str = documented("{env}-certificate-generator-group", "kafka.groupId", note="as deployed")
    lms_cassandra_keyspace: str = documented("sunbird_courses", "lms-cassandra.keyspace", note="keyspace")
    lms_cassandra_course_batch_table: str = documented(
        "course_batch", "lms-cassandra.course_batch.table", note="batches"
    )
    lms_cassandra_user_enrolments_table: str = documented(
        "user_enrolments", "lms-cassandra.user_enrolments.table", note="enrolments"
    )
    lms_cassandra_sbkeyspace: str = documented(
        "sunbird", "lms-cassandra.sbkeyspace", note="keyspace of the old registry"
    )
    lms_cassandra_certreg_table: str = documented("cert_registry", "lms-cassandra.certreg.table", note="old registry")
    task_rc_badcharlist: str = documented("\\x00,\\\\aaa,\\aaa,Ø,Ý", "task.rc.badcharlist", note="removed from values")
    service_content_basepath: str = documented("", "service.content.basePath", note="has no effect: never called")
    service_learner_basepath: str = documented(
        "http://localhost:9000/learner", "service.learner.basePath", note="users"
    )
    service_enc_basepath: str = documented("", "service.enc.basePath", note="signing; used without the registry only")
    service_rc_basepath: str = documented("http://localhost:8081/api/v1", "service.rc.basePath", note="the registry")
    service_rc_entity: str = documented("TrainingCertificate", "service.rc.entity", note="its entity")
    service_rc_rcapikey: SecretStr = documented(
        SecretStr(""), "service.rc.rcApiKey", note="sent as Authorization when set"
    )
    enable_rc_certificate: bool = documented(True, "enable.rc.certificate", note="issue by the registry")
    enable_suppress_exception: bool = documented(
        True, "enable.suppress.exception", note="an incomplete signatory list is passed with a warning"
    )
    es_basepath: str = documented("", "es.basePath", note="host:port of the old registry's index; empty: none")
    user_read_api: str = documented("/private/user/v1/read", "user_read_api", note="path of the user service")
    sunbird_instance_name: str = documented("Sunbird", "sunbird_instance_name", note="name in the SMS text")
    index_lag: float = ours(30.0, note="seconds until the registry's search is sure to find what was created")
    kid_expiry: float = ours(300.0, note="seconds that the registry's key id is remembered")
