"""Settings of the relation cache, beside the documented key that each replaces. See docs/configuration.md."""

from lern_tasks.settings.field import documented
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
