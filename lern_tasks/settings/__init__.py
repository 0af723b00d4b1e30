"""Every setting, typed, from the environment (`LERN_...`), with a scope for each job. See docs/configuration.md."""

import os
from functools import lru_cache
from typing import Literal, cast

import pydantic_settings
from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from lern_tasks import catalogue
from lern_tasks.catalogue import EVENT_JOBS, FOLLOW_UPS, JobName, ProgressJob, RedisRole
from lern_tasks.errors import SettingsError
from lern_tasks.settings import accounts, assessments, certificates, progress, relations, shared, users
from lern_tasks.settings.field import ours
from lern_tasks.settings.jobs import HandOff, JobSettings
from lern_tasks.settings.redis_address import RedisAddress, parsed
from lern_tasks.settings.spelling import not_a_setting

_DATABASES: dict[RedisRole, int] = {
    "broker": 0,
    "results": 0,
    "state": 1,
    "relation_cache": 10,
    "units": 5,
    "metadata": 5,
    "collection": 0,
    "dedup": 13,
    "users": 12,
    "anonymous_users": 4,
}
_ROLE_KEYS: dict[RedisRole, tuple[str, str, str]] = {
    "relation_cache": ("redis_host", "redis_port", "redis_database_relationcache_id"),
    "units": ("dp_redis_host", "dp_redis_port", "dp_redis_database_index"),
    "dedup": ("dedup_redis_host", "dedup_redis_port", "dedup_redis_database_index"),
    "metadata": ("redis_meta_host", "redis_meta_port", "redis_database_contentcache_id"),
    "users": ("redis_meta_host", "redis_meta_port", "redis_meta_database_userstore_id"),
    "anonymous_users": ("redis_meta_host", "redis_meta_port", "redis_user_input_index"),
}
"""The documented keys of a job that override host, port and db of a role."""

_NOT_SETTINGS = ("LERN_TEST_", "LERN_STACK_", "LERN_BENCH_")
"""Variables of the tests, their servers and the benchmarks."""


class Settings(BaseSettings):
    """All settings. `LERN_KAFKA__BROKERS=...` sets `kafka.brokers`."""

    model_config = SettingsConfigDict(
        env_prefix="LERN_", env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    env: str = ours("dev", note="the environment: what stands for {env} in topics, groups and keyspaces")
    store: str = ours("cassandra", note="cassandra, or sqlite:<file> (demo and tests)")
    log_format: Literal["text", "json"] = ours("text", note="log lines for people or for machines")
    log_level: str = ours("INFO", note="DEBUG, INFO, WARNING or ERROR")
    celery_config: str = ours("", note="a Python file of your own with Celery's schedule and tuning, laid over ours")
    kafka: shared.KafkaSettings = Field(default_factory=shared.KafkaSettings)
    redis: shared.RedisSettings = Field(default_factory=shared.RedisSettings)
    cassandra: shared.CassandraSettings = Field(default_factory=shared.CassandraSettings)
    http: shared.HttpSettings = Field(default_factory=shared.HttpSettings)
    tasks: shared.TaskSettings = Field(default_factory=shared.TaskSettings)
    bridge: shared.BridgeSettings = Field(default_factory=shared.BridgeSettings)
    flower: shared.FlowerSettings = Field(default_factory=shared.FlowerSettings)
    files: shared.FileSettings = Field(default_factory=shared.FileSettings)
    relation_cache_updater: relations.RelationCacheUpdaterSettings = Field(
        default_factory=relations.RelationCacheUpdaterSettings
    )
    activity_aggregate_updater: progress.ActivityAggregateUpdaterSettings = Field(
        default_factory=progress.ActivityAggregateUpdaterSettings
    )
    assessment_aggregator: assessments.AssessmentAggregatorSettings = Field(
        default_factory=assessments.AssessmentAggregatorSettings
    )
    enrolment_reconciliation: progress.EnrolmentReconciliationSettings = Field(
        default_factory=progress.EnrolmentReconciliationSettings
    )
    merge_user_courses: accounts.MergeUserCoursesSettings = Field(default_factory=accounts.MergeUserCoursesSettings)
    collection_cert_pre_processor: certificates.CollectionCertPreProcessorSettings = Field(
        default_factory=certificates.CollectionCertPreProcessorSettings
    )
    collection_certificate_generator: certificates.CollectionCertificateGeneratorSettings = Field(
        default_factory=certificates.CollectionCertificateGeneratorSettings
    )
    user_cache_updater: users.UserCacheUpdaterSettings = Field(default_factory=users.UserCacheUpdaterSettings)

    def job(self, job: JobName) -> JobSettings:
        """The settings of `job`; what follows another job shares that one's."""
        return cast("JobSettings", getattr(self, catalogue.ROWS[job].scope))

    def progress(self, job: ProgressJob) -> progress.ProgressSettings:
        """What the settings of the jobs that compute progress have in common."""
        return cast("progress.ProgressSettings", getattr(self, job))

    def hard_time_limit(self, job: JobName) -> int:
        """Seconds after which the process of a task is ended: time for the soft limit's own work, and slow writes."""
        return self.job(job).soft_time_limit + self.tasks.hard_limit_margin

    def topic(self, template: str) -> str:
        """The topic's full name in this environment."""
        return catalogue.topic_name(template, self.env)

    def failed_topic(self, job: JobName) -> str:
        """Where dead letters of `job` go."""
        return self.topic(self.job(job).kafka_output_failed_topic)

    def records_per_task(self, job: JobName) -> int:
        """Records of one task message under backlog, at most; what has no topic goes one by one."""
        return 1 if job in FOLLOW_UPS else self.bridge.records_per_task or self.job(job).packed

    def hand_off(self, job: JobName) -> HandOff:
        """How our jobs reach `job`; what has no topic, by Celery."""
        return "celery" if job in FOLLOW_UPS else self.job(job).hand_off

    def redis_url(self, role: RedisRole, job: JobName | None = None) -> str:
        """The URL of a Redis role, with what the job's documented keys (`dedup-redis.host`, ...) override."""
        return self.redis_address(role, job).url

    def redis_address(self, role: RedisRole, job: JobName | None = None) -> RedisAddress:
        """Where a Redis role is. A URL of its own is taken as it is; the common one gets the role's database."""
        own = getattr(self.redis, role) or (self.redis.broker if role == "results" else "")
        address = parsed(own) if own else parsed(self.redis.url).at(db=_DATABASES[role])
        if job is None or role not in _ROLE_KEYS:
            return address
        scope = self.job(job)
        host, port, database = (getattr(scope, key, None) for key in _ROLE_KEYS[role])
        if role == "relation_cache" and database is None:
            database = getattr(scope, "redis_database_index", None)
        return address.at(host=host, port=port, db=database)

    @property
    def longest_soft_limit(self) -> int:
        """Seconds: the longest soft time limit of the jobs, and that of resumable tasks."""
        return max(self.job(job).soft_time_limit for job in EVENT_JOBS)

    @property
    def index_lag(self) -> float:
        """Seconds after a write without answer until a search shows whether it happened: the registry's."""
        return self.collection_certificate_generator.index_lag

    @property
    def visibility_timeout(self) -> int:
        """Seconds after which Redis delivers an unacknowledged message again.

        The longest countdown, the longest task, and a margin for the way: shorter would deliver a message twice that is
        only waiting. Equal in every process, since any of them restores the others' messages.
        """
        longest = max(self.hard_time_limit(job) for job in catalogue.EVENT_JOBS)
        return self.tasks.countdown_cap + longest + self.tasks.visibility_margin


def load() -> Settings:
    """The settings of this process's environment. Raises SettingsError naming the variable that is wrong."""
    _refuse_unknown()
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("settings are wrong: " + "; ".join(map(_wrong, error.errors()))) from None
    except pydantic_settings.SettingsError as error:
        raise SettingsError(f"settings are wrong: {error}; lists and maps are given as JSON") from None


def _wrong(error: ErrorDetails) -> str:
    variable = f"LERN_{'__'.join(str(part).upper() for part in error['loc'])}"
    if error["type"] == "extra_forbidden":
        return not_a_setting(variable, Settings)
    return f"{variable}: {error['msg'].removeprefix('Value error, ')}"


@lru_cache(maxsize=1)
def current() -> Settings:
    """The settings of this process, read once."""
    return load()


def _refuse_unknown() -> None:
    known = {name.upper() for name in Settings.model_fields}
    for variable in os.environ:
        if not variable.startswith("LERN_") or variable.startswith(_NOT_SETTINGS):
            continue
        if variable.removeprefix("LERN_").partition("__")[0].upper() not in known:
            raise SettingsError(not_a_setting(variable, Settings))
