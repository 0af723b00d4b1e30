"""Settings: the documented keys in every spelling, scoped by job, and clear refusals."""

import pytest

from lern_tasks.errors import SettingsError
from lern_tasks.settings import load
from tests.harness.processes import settings_of

JOB = "LERN_ACTIVITY_AGGREGATE_UPDATER__"


@pytest.mark.parametrize("spelling", ["KAFKA_AUDIT_TOPIC", "KAFKA_OUTPUT_AUDIT_TOPIC"])
def test_each_spelling_of_a_documented_key_is_accepted(spelling: str) -> None:
    settings = settings_of({f"{JOB}{spelling}": "{{env}}.audit", "LERN_ENV": "live"})
    assert settings.topic(settings.activity_aggregate_updater.kafka_audit_topic) == "live.audit"


def test_the_documented_redis_keys_of_a_job_override_the_role() -> None:
    env = {
        "LERN_REDIS__URL": "redis://:secret@main:6380",
        f"{JOB}DEDUP_REDIS_HOST": "dedup",
        f"{JOB}DEDUP_REDIS_DATABASE_INDEX": "3",
        f"{JOB}REDIS_DATABASE_RELATIONCACHE_ID": "11",
        "LERN_RELATION_CACHE_UPDATER__REDIS_DATABASE_INDEX": "12",
    }
    settings = settings_of(env)
    assert settings.redis_url("dedup", "activity_aggregate_updater") == "redis://:secret@dedup:6380/3"
    assert settings.redis_url("relation_cache", "activity_aggregate_updater") == "redis://:secret@main:6380/11"
    assert settings.redis_url("relation_cache", "relation_cache_updater") == "redis://:secret@main:6380/12"
    assert settings.redis_url("state") == "redis://:secret@main:6380/1"


def test_the_documented_read_size_is_a_cap_and_strict_mode_wins() -> None:
    assert settings_of({}).records_per_task("activity_aggregate_updater") == 100
    assert settings_of({f"{JOB}THRESHOLD_BATCH_READ_SIZE": "7"}).records_per_task("activity_aggregate_updater") == 7
    assert settings_of({"LERN_BRIDGE__RECORDS_PER_TASK": "1"}).records_per_task("activity_aggregate_updater") == 1


def test_the_visibility_timeout_covers_the_longest_countdown_and_task() -> None:
    settings = settings_of({"LERN_COLLECTION_CERTIFICATE_GENERATOR__SOFT_TIME_LIMIT": "500"})
    longest = settings.hard_time_limit("collection_certificate_generator")
    assert settings.visibility_timeout > settings.tasks.countdown_cap + longest


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("LERN_KAFKA__BROKRES", "x", "LERN_KAFKA__BROKRES"),
        ("LERN_NONSENSE", "x", "LERN_NONSENSE"),
        ("LERN_TASKS__RETRIES", "many", "LERN_TASKS__RETRIES"),
        (f"{JOB}ACTIVITY_INPUT_DEDUP_ENABLED", "perhaps", "ACTIVITY_INPUT_DEDUP_ENABLED"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(variable: str, value: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        settings_of({variable: value})


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("LERN_KAFKA__BROKRES", "LERN_KAFKA__BROKERS"),
        ("LERN_KAFKA_BROKERS", "LERN_KAFKA__BROKERS"),
        ("LERN_CASANDRA__HOSTS", "LERN_CASSANDRA__HOSTS"),
        ("LERN_USER_CACHE_UPDATER__USER_READ_URL", "LERN_USER_CACHE_UPDATER__USER_READ_API_URL"),
    ],
)
def test_a_misspelt_variable_is_told_the_one_that_was_meant(variable: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=rf"{variable} is not a setting; did you mean {meant}\?"):
        settings_of({variable: "x"})


@pytest.mark.parametrize("value", ["{bad", "[]", "5"])
def test_a_map_that_is_no_json_is_refused_by_name(value: str) -> None:
    with pytest.raises(SettingsError, match=r"(?i)kafka"):
        settings_of({"LERN_KAFKA__PROPERTIES": value})


def test_secrets_are_not_in_the_representation() -> None:
    text = repr(settings_of({"LERN_COLLECTION_CERTIFICATE_GENERATOR__SERVICE_RC_RCAPIKEY": "hush"}))
    assert "hush" not in text
    assert load() is not None
