"""Settings of the user cache, beside the documented key that each replaces. See docs/configuration.md."""

from typing import Literal

from lern_tasks.settings.field import documented, ours
from lern_tasks.settings.jobs import JobSettings


class UserCacheUpdaterSettings(JobSettings):
    """`LERN_USER_CACHE_UPDATER__...`"""

    kafka_input_topic: str = documented("{env}.telemetry.audit", "kafka.input.topic", note="AUDIT of users")
    kafka_groupid: str = documented("{env}-user-cache-updater-group", "kafka.groupId", note="consumer group")
    redis_meta_host: str = documented("", "redis-meta.host", note="host of the user cache; default: LERN_REDIS__USERS")
    redis_meta_port: int | None = documented(None, "redis-meta.port", note="its port")
    redis_meta_database_userstore_id: int | None = documented(
        None, "redis-meta.database.userstore.id", "redis.user.database.index", note="its db; default 12"
    )
    redis_meta_database_key_expiry_seconds: int | None = documented(
        None, "redis-meta.database.key.expiry.seconds", note="has no effect, as in the Flink job: users do not expire"
    )
    redis_user_input_index: int | None = documented(
        None, "redis.user.input.index", note="db of anonymous users to be copied; default 4"
    )
    redis_user_backup_dir: str = documented(
        "", "redis.user.backup.dir", note="has no effect: a refresh replaces single users, so nothing is to be restored"
    )
    regd_user_producer_pid: str = documented(
        "learner-service", "regd.user.producer.pid", note="producer whose events are about registered users"
    )
    user_self_signin_types: list[str] = documented(
        ["google", "self"], "user.self.signin.types", note="sign-up types of self-signed-in users"
    )
    user_validated_types: list[str] = documented(["sso"], "user.validated.types", note="those of validated users")
    user_self_signin_key: str = documented("Self-Signed-In", "user.self.signin.key", note="what is stored for them")
    user_valid_key: str = documented("Validated", "user.valid.key", note="what is stored for these")
    user_read_url_fields: str = documented(
        "locations,organisations", "user.read.url.fields", note="fields asked of the user service"
    )
    user_read_api_error: list[str] = documented(
        ["CLIENT_ERROR"], "user.read.api.error", note="response codes of a blocked account"
    )
    user_read_api_url: str = documented(
        "http://localhost:9000/learner/private/user/v1/read/",
        "user-read.api.url",
        note="URL that a user id is put after",
    )
    user_redis_removeable_fields: list[str] = documented(
        ["state", "district", "block", "cluster", "schooludisecode", "schoolname"],
        "user.redis.removeable-fields",
        note="fields removed when the profile no longer has them",
    )
    sunbird_cassandra_keyspace: str = ours("sunbird", note="keyspace of users, organisations and locations")
    framework_fields: Literal["legacy", "dynamic", "both"] = ours(
        "legacy", note="board, medium, ...; framework_<category>; or both"
    )
    service_taxonomy_basepath: str = documented(
        "http://localhost:9000/taxonomy", "service.taxonomy.basePath", note="frameworks, for dynamic fields"
    )
    framework_read_api: str = documented("/framework/v1/read", "framework_read_api", note="path of a framework")
    framework_cache_expiry: int = ours(86_400, note="seconds that a framework's categories are remembered")
    records: int = ours(100, note="records packed into one task message under backlog, at most")
