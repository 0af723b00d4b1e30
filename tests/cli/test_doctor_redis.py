"""What `lern doctor` says of Redis: persistence, eviction, clocks, and one relation cache for all."""

from collections.abc import Iterator
from typing import Any

import pytest

from lern_tasks.catalogue import EVENT_JOBS, RedisRole
from lern_tasks.cli.doctor import redis as redis_checks
from lern_tasks.cli.doctor import relation_cache
from lern_tasks.cli.doctor.redis_uses import Use, uses
from lern_tasks.demo.servers.redis import Redis
from lern_tasks.settings import Settings
from tests.cli.conftest import Healthy

_USERS = ("relation_cache_updater", "activity_aggregate_updater", "assessment_aggregator", "enrolment_reconciliation")


class FakeClient:
    """A Redis client with the given configuration."""

    def __init__(self, info: dict[str, dict[str, Any]], config: dict[str, str]) -> None:
        self._info, self._config = info, config

    def info(self, section: str) -> dict[str, Any]:
        return self._info[section]

    def config_get(self, name: str) -> dict[str, str]:
        return {name: self._config[name]} if name in self._config else {}


def _levels(role: RedisRole, *, aof: int, policy: str, **config: str) -> list[str]:
    client: Any = FakeClient({"persistence": {"aof_enabled": aof}, "memory": {"maxmemory_policy": policy}}, config)
    use = Use(role=role, url="redis://there:6379/0", scope=None, jobs=())
    findings = [*redis_checks._persists(use, client), *redis_checks._evicts(use, client)]
    assert all(bool(finding.to_do) is (finding.level != "ok") for finding in findings)
    assert all(f.to_do.startswith("redis-cli -h there -p 6379 CONFIG SET ") for f in findings if f.to_do)
    return [finding.level for finding in findings]


@pytest.mark.parametrize(
    ("aof", "fsync", "policy", "levels"),
    [
        (1, "always", "noeviction", ["ok", "ok"]),
        (1, "everysec", "noeviction", ["warning", "ok"]),
        (1, "no", "noeviction", ["warning", "ok"]),
        (1, "", "noeviction", ["ok", "ok"]),
        (0, "always", "noeviction", ["problem", "ok"]),
        (1, "always", "allkeys-lru", ["ok", "problem"]),
    ],
)
def test_the_broker_must_persist_and_evict_nothing(aof: int, fsync: str, policy: str, levels: list[str]) -> None:
    assert _levels("broker", aof=aof, policy=policy, appendfsync=fsync) == levels


@pytest.mark.parametrize("role", ["users", "anonymous_users"])
@pytest.mark.parametrize(
    ("aof", "save", "policy", "levels"),
    [
        (1, "", "noeviction", ["ok", "ok"]),
        (0, "3600 1", "noeviction", ["ok", "ok"]),
        (0, "", "noeviction", ["warning", "ok"]),
        (1, "", "volatile-lru", ["ok", "problem"]),
        (1, "", "allkeys-lru", ["ok", "problem"]),
    ],
)
def test_users_must_not_be_evicted(role: RedisRole, aof: int, save: str, policy: str, levels: list[str]) -> None:
    assert _levels(role, aof=aof, policy=policy, save=save) == levels


def test_why_users_must_not_be_evicted_is_said() -> None:
    (use,) = (use for use in uses(Settings(), ("user_cache_updater",)) if use.role == "users")
    assert use.kept
    assert "reports leave out each learner who is not in the user cache" in use.why


@pytest.mark.parametrize(("difference", "level"), [(0.2, "ok"), (-1.0, "ok"), (1.5, "warning"), (-5, "warning")])
def test_a_clock_may_differ_by_a_second(difference: float, level: str) -> None:
    assert redis_checks.clock_finding("clock redis", difference).level == level


def test_roles_are_looked_at_where_their_jobs_use_them() -> None:
    settings = Settings.model_validate(
        {
            "activity_aggregate_updater": {"dedup_redis_host": "markers", "dedup_redis_port": 7000},
            "user_cache_updater": {"redis_meta_host": "users"},
            "assessment_aggregator": {"leaf_check": "off"},
        }
    )
    found = {use.role: use for use in uses(settings, EVENT_JOBS)}
    assert found["dedup"].url == "redis://markers:7000/13"
    assert found["dedup"].jobs == ("activity_aggregate_updater", "enrolment_reconciliation")
    assert "lern settings activity_aggregate_updater" in found["dedup"].variable
    assert found["users"].url == "redis://users:6379/12"
    assert found["relation_cache"].jobs == tuple(job for job in _USERS if job != "assessment_aggregator")
    assert "lern settings" not in found["relation_cache"].variable
    assert found["broker"].jobs == ()


@pytest.mark.parametrize("job", _USERS[1:])
def test_a_relation_cache_that_is_read_elsewhere_is_found(healthy: Healthy, job: str) -> None:
    variable = f"LERN_{job.upper()}__REDIS_DATABASE_RELATIONCACHE_ID"
    bad = healthy.bad(**{variable: "7"})
    assert bad.keys() == {("relation cache", job)}
    found = bad["relation cache", job]
    assert "/7" in found["result"]
    assert "/10" in found["result"]
    assert variable in found["to_do"]
    assert "LERN_RELATION_CACHE_UPDATER__REDIS_DATABASE_INDEX" in found["to_do"]


def test_an_updater_that_writes_elsewhere_is_found_for_every_reader(healthy: Healthy) -> None:
    elsewhere = {"LERN_RELATION_CACHE_UPDATER__REDIS_DATABASE_INDEX": "7"}
    (told,) = healthy.bad(**elsewhere)
    assert (told[0], set(told[1:])) == ("relation cache", set(_USERS[1:]))


def test_without_our_updater_readers_are_compared_with_each_other(healthy: Healthy) -> None:
    options = [
        option for job in ("activity_aggregate_updater", "enrolment_reconciliation") for option in ("--job", job)
    ]
    kafka = {"LERN_COLLECTION_CERT_PRE_PROCESSOR__HAND_OFF": "kafka"}
    assert healthy.bad(*options, **kafka, LERN_RELATION_CACHE_UPDATER__REDIS_DATABASE_INDEX="7") == {}
    elsewhere = {"LERN_ENROLMENT_RECONCILIATION__REDIS_DATABASE_RELATIONCACHE_ID": "7"}
    assert healthy.bad(*options, **kafka, **elsewhere).keys() == {("relation cache", "enrolment_reconciliation")}


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with Redis() as redis:
        yield redis


def test_one_database_may_be_spelt_in_several_ways(server: Redis) -> None:
    port = server.url.rpartition(":")[2].rstrip("/")
    spellings = [f"redis://127.0.0.1:{port}", f"redis://user:x@localhost:{port}/0", f"redis://127.0.0.1:{port}?db=0"]
    assert all(relation_cache.same_place(one, other) for one in spellings for other in spellings)
    assert not relation_cache.same_place(spellings[0], f"redis://localhost:{port}/1")
    assert not relation_cache.same_place(spellings[0], "redis://localhost:9/0")
    assert relation_cache.same_place("redis://there", "redis://THERE:6379/0")


@pytest.mark.parametrize(("ids", "same"), [(("a", "a"), True), (("a", "b"), False), (("", ""), False)])
def test_servers_of_one_history_are_one(ids: tuple[str, str], same: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = "redis://127.0.0.1:9/3", "redis://127.0.0.1:10/3"
    monkeypatch.setattr(relation_cache, "_history", dict(zip((one, other), ids, strict=True)).__getitem__)
    assert relation_cache.same_place(one, other) is same
