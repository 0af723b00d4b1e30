"""Every documented variable has a setting of its job, under each spelling, with the documented default."""

import json
from collections import Counter
from functools import cache
from typing import Any

import pytest
from pydantic import AliasChoices, SecretStr

from lern_tasks.catalogue import EVENT_JOBS, RedisRole, topic_name
from lern_tasks.errors import SettingsError
from lern_tasks.settings import Settings
from lern_tasks.settings.field import snake
from lern_tasks.sunbird.table_names import for_job
from tests.harness.processes import settings_of
from tests.variables.case import variable
from tests.variables.documented import DOCUMENTED, EVERYWHERE, FURTHER, WITHOUT_SETTING, WRONG
from tests.variables.fields import FIELDS, OF_KEY, value_of
from tests.variables.tables import CASES, NO_EFFECT

LISTED = [
    (scope, key, default)
    for document in (DOCUMENTED, FURTHER)
    for scope, defaults in document.items()
    for key, default in defaults.items()
]

ROLES: dict[tuple[str, str], RedisRole] = {
    ("relation_cache_updater", "redis.database.index"): "relation_cache",
    ("relation_cache_updater", "dp-redis.database.index"): "units",
    ("activity_aggregate_updater", "redis.database.relationCache.id"): "relation_cache",
    ("activity_aggregate_updater", "dedup-redis.database.index"): "dedup",
    ("enrolment_reconciliation", "redis.database.relationCache.id"): "relation_cache",
    ("assessment_aggregator", "redis.database.relationCache.id"): "relation_cache",
    ("assessment_aggregator", "redis.database.contentCache.id"): "metadata",
    ("user_cache_updater", "redis-meta.database.userstore.id"): "users",
    ("user_cache_updater", "redis.user.database.index"): "users",
    ("user_cache_updater", "redis.user.input.index"): "anonymous_users",
}
"""The databases that are the role's unless a job says otherwise."""


@cache
def usual() -> Settings:
    """The defaults."""
    return settings_of({})


def shown(settings: Settings, scope: str, key: str) -> str:
    """The value in force, as the documents would print it."""
    if (scope, key) in ROLES:
        return settings.redis_url(ROLES[scope, key], scope).rpartition("/")[2]  # type: ignore[arg-type]
    if (scope, key) == ("relation_cache_updater", "lms-cassandra.keyspace"):
        return for_job(settings, "relation_cache_updater").content_hierarchy.keyspace
    value: Any = getattr(getattr(settings, scope), OF_KEY[scope, key][0])
    if isinstance(value, bool | list):
        return json.dumps(value, separators=(",", ":"))
    return topic_name(value.get_secret_value() if isinstance(value, SecretStr) else str(value), "dev")


@pytest.mark.parametrize(("scope", "key", "default"), LISTED, ids=[f"{scope}-{key}" for scope, key, _ in LISTED])
def test_a_documented_variable_has_a_setting_with_its_default(scope: str, key: str, default: str | None) -> None:
    assert (scope, key) in OF_KEY
    if default is None:
        return
    ours = shown(usual(), scope, key)
    if (scope, key) in WRONG:
        assert ours == WRONG[scope, key][0]
        assert ours != topic_name(default, "dev")
    else:
        assert ours == topic_name(default, "dev")


def test_no_setting_stands_for_a_key_that_no_document_has() -> None:
    listed = {(scope, key) for scope, key, _ in LISTED} | {(job, key) for job in EVENT_JOBS for key in EVERYWHERE}
    for scope, name, _, keys in FIELDS:
        assert any((scope, key) in listed for key in keys), f"{scope}.{name}"


def test_what_has_no_setting_is_refused_by_name() -> None:
    assert not OF_KEY.keys() & WITHOUT_SETTING.keys()
    variables = {variable(scope, key): "1" for scope, key in WITHOUT_SETTING}
    with pytest.raises(SettingsError) as refused:
        settings_of(variables)
    assert not [name for name in variables if name not in str(refused.value)]


def test_each_variable_is_in_the_tables_once() -> None:
    lines = [*((case.scope, case.key) for case in CASES), *((idle.scope, idle.key) for idle in NO_EFFECT)]
    assert not [line for line in lines if line not in OF_KEY]
    counted = Counter((scope, OF_KEY[scope, key][0]) for scope, key in lines)
    assert counted == {(scope, name): 1 for scope, name, _, _ in FIELDS}


def test_the_notes_say_which_variables_have_no_effect() -> None:
    said = {(scope, name) for scope, name, field, _ in FIELDS if "has no effect" in (field.description or "")}
    assert {(idle.scope, OF_KEY[idle.scope, idle.key][0]) for idle in NO_EFFECT} == said


SPELLINGS = [
    (scope, spelling, name, value)
    for scope, name, field, keys in FIELDS
    # One without a line is told by the test of the tables above, and by tests/test_catalogue.py.
    if isinstance(field.validation_alias, AliasChoices) and (value := value_of(scope, keys)) is not None
    for spelling in field.validation_alias.choices
]


@pytest.mark.parametrize(
    ("scope", "spelling", "name", "value"), SPELLINGS, ids=[f"{s}-{k}" for s, k, _, _ in SPELLINGS]
)
def test_each_spelling_is_accepted(scope: str, spelling: object, name: str, value: str) -> None:
    settings = settings_of({f"LERN_{scope.upper()}__{str(spelling).upper()}": value})
    ours = getattr(getattr(settings, scope), name)
    assert ours != getattr(getattr(usual(), scope), name)
    assert json.dumps(ours.get_secret_value() if isinstance(ours, SecretStr) else ours).strip('"') == _plain(value)


def test_every_documented_key_is_one_of_the_spellings() -> None:
    accepted = {(scope, spelling) for scope, spelling, _, _ in SPELLINGS}
    assert {(scope, snake(key)) for scope, key in OF_KEY} <= accepted


def _plain(value: str) -> str:
    """A list in the form that `json.dumps` gives it; everything else as it is."""
    return json.dumps(json.loads(value)) if value.startswith("[") else value
