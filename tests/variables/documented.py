"""The variables as the documents of the Flink jobs list them, with their defaults; None where they give none.

`DOCUMENTED` is what the pages about the jobs print, `FURTHER` what the files of installations have besides: the base
configuration under `kafka`, `redis` and `cassandra`, and all of user-cache-updater, which has no table of its own.
"""

from collections.abc import Mapping

from lern_tasks.catalogue import EVENT_JOBS

Defaults = Mapping[str, str | None]

_TABLES = {
    "lms-cassandra.keyspace": "sunbird_courses",
    "lms-cassandra.content_consumption.table": "user_content_consumption",
    "lms-cassandra.user_enrolments.table": "user_enrolments",
    "lms-cassandra.user_activity_agg.table": "user_activity_agg",
}

_PROGRESS = {
    "kafka.audit.topic": "{{env}}.telemetry.raw",
    "kafka.certissue.topic": "{{env}}.issue.certificate.request",
    **_TABLES,
    "redis.database.relationCache.id": "10",
    "threshold.batch.write.size": "10",
    "activity.module.aggs.enabled": "true",
    "activity.filter.processed.enrolments": "true",
    "activity.collection.status.cache.expiry": "3600",
    "service.search.basePath": None,
}

_CLOUD = {
    "cloud_storage_base_url": None,
    "cloud_store_base_path_placeholder": "CLOUD_BASE_PATH",
    "content_cloud_storage_container": None,
    "cloud_storage_cname_url": None,
}

DOCUMENTED: Mapping[str, Defaults] = {
    "merge_user_courses": {
        "kafka.input.topic": "{{env}}.lms.user.account.merge",
        "kafka.output.failed.topic": "{{env}}.learning.events.failed",
        "kafka.groupId": None,
        "kafka.output.course.batch.updater.topic": "{{env}}.coursebatch.job.request",
        **_TABLES,
    },
    "relation_cache_updater": {
        "kafka.input.topic": "{{env}}.lms.user.account.merge",
        "kafka.groupId": "{{env}}-relation-cache-updater-group",
        "lms-cassandra.keyspace": "{{env}}_hierarchy_store",
        "lms-cassandra.table": "content_hierarchy",
        "redis.database.index": "10",
        "dp-redis.host": None,
        "dp-redis.port": None,
        "dp-redis.database.index": "5",
    },
    "activity_aggregate_updater": {
        "kafka.input.topic": "{{env}}.coursebatch.job.request",
        "kafka.output.failed.topic": "{{env}}.activity.agg.failed",
        "kafka.groupId": "{{env}}-activity-aggregate-updater-group",
        **_PROGRESS,
        "dedup-redis.host": None,
        "dedup-redis.port": None,
        "dedup-redis.database.index": "13",
        "dedup-redis.database.expiry": "604800",
        "threshold.batch.read.interval": None,
        "threshold.batch.read.size": "1000",
        "activity.input.dedup.enabled": "true",
    },
    "assessment_aggregator": {
        "kafka.input.topic": "{{env}}.telemetry.assess",
        "kafka.output.failed.topic": "{{env}}.telemetry.assess.failed",
        "kafka.output.certissue.topic": "{{env}}.issue.certificate.request",
        "kafka.groupId": "{{env}}-assessment-aggregator-group",
        "lms-cassandra.keyspace": "sunbird_courses",
        "lms-cassandra.table": "assessment_aggregator",
        "lms-cassandra.enrolmentstable": "user_enrolments",
        "lms-cassandra.activityytable": "user_activity_agg",
        "lms-cassandra.questionudttype": "question",
        "redis.database.relationCache.id": "10",
        "redis.database.contentCache.id": "5",
        "assessment.skip.missingRecords": "false",
        "user.activity.agg.type": "attempt_metrics",
        "content.read.api": None,
    },
    "enrolment_reconciliation": {
        "kafka.input.topic": "{{env}}.batch.enrolment.sync.request",
        "kafka.output.failed.topic": "{{env}}.enrolment.reconciliation.failed",
        "kafka.groupId": "{{env}}-enrolment-reconciliation-group",
        **_PROGRESS,
    },
    "collection_cert_pre_processor": {
        "kafka.input.topic": "{{env}}.issue.certificate.request",
        "kafka.output.failed.topic": "{{env}}.issue.certificate.failed",
        "kafka.output.topic": "{{env}}.generate.certificate.request",
        "kafka.groupId": "{{env}}-collection-cert-pre-processor-group",
        "lms-cassandra.keyspace": "sunbird_courses",
        "lms-cassandra.course_batch.table": "course_batch",
        "lms-cassandra.user_enrolments.table": "user_enrolments",
        "lms-cassandra.assessment_aggregator.table": "assessment_aggregator",
        "lms-cassandra.user_activity_agg.table": "user_activity_agg",
        "cert_domain_url": None,
        "user_read_api": "/private/user/v1/read",
        "content_read_api": "/content/v4/read",
        "service.content.basePath": None,
        "service.learner.basePath": None,
        "assessment.metrics.supported.contenttype": '["SelfAssess"]',
        "enable.suppress.exception": "true",
        **_CLOUD,
    },
    "collection_certificate_generator": {
        "kafka.input.topic": "{{env}}.generate.certificate.request",
        "kafka.output.failed.topic": "{{env}}.generate.certificate.failed",
        "kafka.output.audit.topic": "{{env}}.telemetry.raw",
        "kafka.groupId": "{{env}}-certificate-generator-group",
        "lms-cassandra.keyspace": "sunbird_courses",
        "lms-cassandra.course_batch.table": "course_batch",
        "lms-cassandra.user_enrolments.table": "user_enrolments",
        "lms-cassandra.sbkeyspace": "sunbird",
        "lms-cassandra.certreg.table": "cert_registry",
        "task.rc.badcharlist": r"\x00,\\aaa,\aaa,Ø,Ý",
        "service.content.basePath": None,
        "service.learner.basePath": None,
        "service.enc.basePath": None,
        "service.rc.basePath": None,
        "service.rc.entity": "TrainingCertificate",
        "enable.rc.certificate": "true",
        "enable.suppress.exception": "true",
        **_CLOUD,
    },
}

FURTHER: Mapping[str, Defaults] = {
    "kafka": {"kafka.broker-servers": "localhost:9092"},
    "redis": {"redisdb.connection.timeout": "30000"},
    "cassandra": {
        "lms-cassandra.host": "localhost",
        "lms-cassandra.port": "9042",
        "lms-cassandra.isMultiDCEnabled": "false",
    },
    "merge_user_courses": {"course.date.format": "yyyy-MM-dd HH:mm:ss:SSSZ"},
    "activity_aggregate_updater": {
        "kafka.output.audit.topic": "{{env}}.telemetry.raw",
        "kafka.output.certissue.topic": "{{env}}.issue.certificate.request",
        "lms-cassandra.consumption.table": "user_content_consumption",
    },
    "enrolment_reconciliation": {
        "kafka.output.audit.topic": "{{env}}.telemetry.raw",
        "kafka.output.certissue.topic": "{{env}}.issue.certificate.request",
        "lms-cassandra.consumption.table": "user_content_consumption",
    },
    "assessment_aggregator": {
        "kafka.failed.topic": "{{env}}.telemetry.assess.failed",
        "lms-cassandra.activitytable": "user_activity_agg",
        "redis-meta.host": None,
        "redis-meta.port": None,
    },
    "collection_certificate_generator": {
        "service.certreg.basePath": "http://localhost:9000/certreg",
        "service.enc.basePath": "http://localhost:9000/enc",
        "service.learner.basePath": "http://localhost:9000/learner",
        "service.rc.basePath": "http://localhost:8081/api/v1",
        "service.rc.rcApiKey": None,
        "cert_domain_url": None,
        "cert_container_name": None,
        "cert_cloud_storage_type": None,
        "cert_cloud_storage_key": None,
        "cert_cloud_storage_secret": None,
        "cert_cloud_storage_endpoint": None,
        "es.basePath": None,
        "user_read_api": "/private/user/v1/read",
        "sunbird_instance_name": "Sunbird",
    },
    "user_cache_updater": {
        "kafka.input.topic": "{{env}}.telemetry.audit",
        "kafka.groupId": "{{env}}-user-cache-updater-group",
        "redis-meta.host": None,
        "redis-meta.port": None,
        "redis-meta.database.userstore.id": "12",
        "redis.user.database.index": "12",
        "redis-meta.database.key.expiry.seconds": None,
        "redis.user.input.index": "4",
        "redis.user.backup.dir": None,
        "regd.user.producer.pid": "learner-service",
        "user.self.signin.types": '["google","self"]',
        "user.validated.types": '["sso"]',
        "user.self.signin.key": "Self-Signed-In",
        "user.valid.key": "Validated",
        "user.read.url.fields": "locations,organisations",
        "user.read.api.error": '["CLIENT_ERROR"]',
        "user-read.api.url": None,
        "user.redis.removeable-fields": '["state","district","block","cluster","schooludisecode","schoolname"]',
        "service.taxonomy.basePath": None,
        "framework_read_api": None,
    },
}

EVERYWHERE = (
    "kafka.input.topic",
    "kafka.groupId",
    "kafka.output.failed.topic",
    "threshold.batch.read.size",
    "threshold.batch.read.interval",
)
"""Documented for some jobs, and taken by all."""

WRONG: Mapping[tuple[str, str], tuple[str, str]] = {
    ("relation_cache_updater", "kafka.input.topic"): (
        "dev.content.postpublish.request",
        "the page prints the topic of merge-user-courses; the event that it shows comes on this one",
    ),
    ("activity_aggregate_updater", "kafka.groupId"): (
        "dev-activity-aggregate-group",
        "the group of the deployed jobs: with another one a new installation would read the whole topic again",
    ),
}
"""Where the documents are in error, or not what is deployed: our default, in the environment `dev`, and why."""

_FLINK = {
    "task.parallelism": "worker processes: `celery worker --concurrency`, and as many workers as are started",
    "task.consumer.parallelism": "one consumer a job and bridge; bridges share the partitions",
    "task.checkpointing.interval": "no checkpoints: offsets are committed once the broker has the messages",
    "task.checkpointing.pause.between.seconds": "no checkpoints",
    "task.restart-strategy.attempts": "LERN_TASKS__RETRIES: a record is tried again, a job never ends",
    "task.restart-strategy.delay": "LERN_TASKS__RETRY_BASE",
    "task.window.shards": "no windows: the records of an enrolment are kept apart by its lock",
    "job.env": "LERN_ENV",
    "redis.host": "LERN_REDIS__URL, or the URL of a role",
    "redis.port": "LERN_REDIS__URL, or the URL of a role",
    "redis.connection.max": "one connection a process and server at rest",
    "kafka.zookeeper": "no client needs it",
    "kafka.producer.max-request-size": "LERN_KAFKA__PROPERTIES",
    "kafka.auto.offset.reset": "LERN_KAFKA__CONSUMER_PROPERTIES",
}

WITHOUT_SETTING: Mapping[tuple[str, str], str] = {
    **{(job, key): instead for job in EVENT_JOBS for key, instead in _FLINK.items()},
    ("collection_cert_pre_processor", "redis-meta.host"): "LERN_REDIS__METADATA",
    ("collection_cert_pre_processor", "redis-meta.port"): "LERN_REDIS__METADATA",
    ("collection_cert_pre_processor", "redis.database.contentCache.id"): "LERN_REDIS__METADATA",
    ("collection_cert_pre_processor", "redis.database.collectionCache.id"): "LERN_REDIS__COLLECTION",
    ("user_cache_updater", "service.userorg.basePath"): "user-read.api.url: the address and the path in one",
    ("user_cache_updater", "user_read_api"): "user-read.api.url: the address and the path in one",
}
"""What the files of installations have for Flink's sake, or say in another way: what stands in its place here."""
