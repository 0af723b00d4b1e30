import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lern_tasks.cli import doctor, kafka_admin
from lern_tasks.cli.checks import redis as redis_checks
from lern_tasks.cli.checks.finding import Finding, ok
from lern_tasks.cli.doctor import examine
from lern_tasks.embedded.kafka import Kafka
from lern_tasks.embedded.old_registry import OldRegistry
from lern_tasks.embedded.platform_api import PlatformApi
from lern_tasks.embedded.registry import Registry
from lern_tasks.needed_topics import needed_topics
from lern_tasks.settings import Settings
from tests.cli.conftest import Lern


@pytest.fixture
def healthy(
    installation: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Settings, PlatformApi, Registry]]:
    topics = {topic.name: 1 for topic in needed_topics(installation)}
    monkeypatch.setattr(kafka_admin, "_CONFIGURATION_TIMEOUT", 0.2)
    with Kafka(topics) as kafka, PlatformApi() as platform, Registry() as registry:
        monkeypatch.setenv("LERN_KAFKA__BROKERS", kafka.bootstrap)
        pre_processor = "LERN_COLLECTION_CERT_PRE_PROCESSOR__"
        monkeypatch.setenv("LERN_ACTIVITY_AGGREGATE_UPDATER__SERVICE_SEARCH_BASEPATH", platform.search_url)
        monkeypatch.setenv(f"{pre_processor}SERVICE_CONTENT_BASEPATH", platform.content_url)
        monkeypatch.setenv(f"{pre_processor}SERVICE_LEARNER_BASEPATH", platform.learner_url)
        monkeypatch.setenv("LERN_COLLECTION_CERTIFICATE_GENERATOR__SERVICE_RC_BASEPATH", registry.api_url)
        yield installation, platform, registry


def _findings(lern_command: Lern, **environment: str) -> tuple[int, list[dict[str, Any]]]:
    result = lern_command("doctor", "--json", **environment)
    return result.exit_code, json.loads(result.output)


def _bad(findings: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {finding["check"]: finding for finding in findings if finding["level"] != "ok"}


def test_a_healthy_installation_has_nothing_to_do(lern_command: Lern, healthy: object) -> None:
    status, findings = _findings(lern_command)
    assert _bad(findings) == {}
    assert status == 0
    checked = {finding["check"] for finding in findings}
    assert {"kafka", "topics", "settings", "relation cache", "cassandra", "registry", "search", "files"} <= checked
    assert {"redis broker", "redis state", "redis dedup", "redis relation_cache", "clock redis"} <= checked


def test_one_that_is_away_does_not_hide_the_others(
    lern_command: Lern, healthy: tuple[Settings, PlatformApi, Registry]
) -> None:
    healthy[2].stop()
    status, findings = _findings(lern_command, LERN_REDIS__DEDUP="redis://127.0.0.1:9/13")
    bad = _bad(findings)
    assert status == 1
    assert bad.keys() == {"registry", "redis dedup"}
    assert "127.0.0.1:9" in bad["redis dedup"]["result"]
    assert "LERN_REDIS__DEDUP" in bad["redis dedup"]["to_do"]
    assert "SERVICE_RC_BASEPATH" in bad["registry"]["to_do"]


def test_a_registry_without_key_is_found(lern_command: Lern, healthy: tuple[Settings, PlatformApi, Registry]) -> None:
    healthy[2].switches.key_search = "empty"
    _, findings = _findings(lern_command)
    assert "key" in _bad(findings)["registry"]["result"]


def test_without_the_registry_its_place_is_looked_at(lern_command: Lern, healthy: object, tmp_path: Path) -> None:
    prefix = "LERN_COLLECTION_CERTIFICATE_GENERATOR__"
    _, findings = _findings(lern_command, **{f"{prefix}ENABLE_RC_CERTIFICATE": "false"})
    bad = _bad(findings)
    assert f"{prefix}CERT_CONTAINER_NAME" in bad["certificate files"]["result"]
    assert "SERVICE_CERTREG_BASEPATH" in bad["registry"]["to_do"]
    with OldRegistry() as old:
        settings = {
            "ENABLE_RC_CERTIFICATE": "false",
            "CERT_DOMAIN_URL": "https://dev.sunbirded.org",
            "CERT_CONTAINER_NAME": (tmp_path / "certs").as_uri(),
            "SERVICE_CERTREG_BASEPATH": old.registry_url,
        }
        status, findings = _findings(lern_command, **{f"{prefix}{name}": value for name, value in settings.items()})
    assert (status, _bad(findings)) == (0, {})
    assert list((tmp_path / "certs").iterdir()) == []


def test_missing_topics_come_with_the_command_that_makes_them(lern_command: Lern, healthy: object) -> None:
    _, findings = _findings(lern_command, LERN_ENV="staging")
    topics = _bad(findings)["topics"]
    assert "staging.coursebatch.job.request" in topics["result"]
    assert topics["to_do"] == "lern topics create"


def test_settings_without_effect_are_named(lern_command: Lern, healthy: object) -> None:
    variable = "LERN_ACTIVITY_AGGREGATE_UPDATER__THRESHOLD_BATCH_READ_INTERVAL"
    _, findings = _findings(lern_command, **{variable: "60"})
    assert variable in _bad(findings)["settings"]["result"]


def test_a_relation_cache_that_is_read_elsewhere_is_found(lern_command: Lern, healthy: object) -> None:
    variable = "LERN_RELATION_CACHE_UPDATER__REDIS_DATABASE_INDEX"
    _, findings = _findings(lern_command, **{variable: "7"})
    found = _bad(findings)["relation cache"]
    assert "/7" in found["result"]
    assert "/10" in found["result"]


def test_wrong_settings_are_a_finding(lern_command: Lern) -> None:
    status, findings = _findings(lern_command, LERN_KAFKA__DELIVERY_TIMEOUT="soon")
    assert status == 1
    assert "LERN_KAFKA__DELIVERY_TIMEOUT" in _bad(findings)["settings"]["result"]


def test_no_secret_is_printed(lern_command: Lern, healthy: object) -> None:
    secrets = {
        "LERN_REDIS__DEDUP": "redis://user:hush-hush@127.0.0.1:9/13",
        "LERN_FILES__URL": "nothing://key:hush-hush@bucket",
        "LERN_COLLECTION_CERT_PRE_PROCESSOR__SERVICE_CONTENT_BASEPATH": "http://user:hush-hush@127.0.0.1:9",
    }
    for options in ((), ("--json",)):
        result = lern_command("doctor", *options, **secrets)
        assert result.exit_code == 1
        assert "hush-hush" not in result.output


def test_a_check_that_fails_or_hangs_ends_none_of_the_others() -> None:
    released = threading.Event()

    def hangs(_: Settings) -> list[Finding]:
        released.wait(60)
        return []

    def fails(_: Settings) -> list[Finding]:
        raise ZeroDivisionError("at redis://u:hush-hush@host")

    began = time.monotonic()
    checks = [("hanging", hangs), ("failing", fails), ("fine", lambda _: [ok("fine", "good")])]
    findings = examine(Settings.model_construct(), checks, 0.5)
    released.set()
    assert time.monotonic() - began < 10
    assert [(f.check, f.level) for f in findings] == [("hanging", "problem"), ("failing", "problem"), ("fine", "ok")]
    assert "ZeroDivisionError" in findings[1].result
    assert "hush-hush" not in findings[1].result


class FakeClient:
    """A Redis client with the given configuration."""

    def __init__(self, info: dict[str, dict[str, Any]], config: dict[str, str]) -> None:
        self._info, self._config = info, config

    def info(self, section: str) -> dict[str, Any]:
        return self._info[section]

    def config_get(self, name: str) -> dict[str, str]:
        return {name: self._config[name]} if name in self._config else {}


@pytest.mark.parametrize(
    ("aof", "fsync", "policy", "levels"),
    [
        (1, "always", "noeviction", ["ok", "ok"]),
        (1, "everysec", "noeviction", ["warning", "ok"]),
        (0, "always", "noeviction", ["problem", "ok"]),
        (1, "always", "allkeys-lru", ["ok", "problem"]),
    ],
)
def test_the_broker_must_persist_and_evict_nothing(aof: int, fsync: str, policy: str, levels: list[str]) -> None:
    client: Any = FakeClient(
        {"persistence": {"aof_enabled": aof}, "memory": {"maxmemory_policy": policy}}, {"appendfsync": fsync}
    )
    findings = list(redis_checks._keeps("redis broker", client, always=True))
    assert [finding.level for finding in findings] == levels
    assert all(bool(finding.to_do) is (finding.level != "ok") for finding in findings)


@pytest.mark.parametrize(("difference", "level"), [(0.2, "ok"), (-1.0, "ok"), (1.5, "warning"), (-5, "warning")])
def test_a_clock_may_differ_by_a_second(difference: float, level: str) -> None:
    assert redis_checks.clock_finding("clock redis", difference).level == level


def test_every_check_of_the_command_has_its_own_name() -> None:
    names = [name for name, _ in doctor._all_checks()]
    assert len(set(names)) == len(names)
