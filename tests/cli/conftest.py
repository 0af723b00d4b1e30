"""Commands run in process against the embedded Kafka and Redis."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lern_tasks import catalogue
from lern_tasks.cli import kafka_admin
from lern_tasks.cli.__main__ import lern
from lern_tasks.cli.doctor import bridge, workers
from lern_tasks.connections.files import Files
from lern_tasks.connections.kafka import KafkaOut
from lern_tasks.delivery.dead_letter import DeadLetter, failure_of, publish, to_message
from lern_tasks.delivery.record import Record
from lern_tasks.demo.platform.platform_api import PlatformApi
from lern_tasks.demo.platform.registry import Registry
from lern_tasks.demo.servers.kafka import Kafka
from lern_tasks.demo.servers.redis import Redis
from lern_tasks.errors import InvalidEvent, LernError
from lern_tasks.operations.topics import needed_topics
from lern_tasks.settings import Settings, load

Lern = Callable[..., Result]


@pytest.fixture
def lern_command(monkeypatch: pytest.MonkeyPatch) -> Lern:
    """`lern_command("topics", "check")`; nothing of the user's environment is seen."""
    for name in [name for name in os.environ if name.startswith("LERN_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(lern, arguments, env=environment, catch_exceptions=False)

    return run


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.fixture
def kafka() -> Iterator[Kafka]:
    with Kafka({"dev.activity.agg.failed": 1, "dev.coursebatch.job.request": 2}) as server:
        yield server


@pytest.fixture
def installation(
    lern_command: Lern, kafka: Kafka, redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The settings of an installation with Kafka, Redis and a file store."""
    monkeypatch.setenv("LERN_KAFKA__BROKERS", kafka.bootstrap)
    monkeypatch.setenv("LERN_KAFKA__CONSUMER_PROPERTIES", json.dumps({"fetch.wait.max.ms": "10"}))
    monkeypatch.setenv("LERN_REDIS__URL", redis.url)
    monkeypatch.setenv("LERN_FILES__URL", f"file://{tmp_path / 'files'}")
    monkeypatch.setenv("LERN_STORE", f"sqlite:{tmp_path / 'store.sqlite'}")
    return load()


@dataclass(frozen=True)
class Healthy:
    """An installation of all jobs where nothing is wrong, until a test makes it so."""

    platform: PlatformApi
    registry: Registry
    lern: Lern

    def doctor(self, *options: str, **environment: str) -> tuple[int, list[dict[str, Any]]]:
        """The exit status, and all findings."""
        result = self.lern("doctor", "--json", *options, **environment)
        return result.exit_code, json.loads(result.output)

    def bad(self, *options: str, **environment: str) -> dict[tuple[str, ...], dict[str, Any]]:
        """What is not well, by check and jobs."""
        _, findings = self.doctor(*options, **environment)
        bad = [finding for finding in findings if finding["level"] != "ok"]
        assert all(finding["why"] and finding["to_do"] for finding in bad), bad
        found = {(finding["check"], *finding["jobs"]): finding for finding in bad}
        assert len(found) == len(bad), bad
        return found


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[Kafka, Redis]]:
    """Kafka with all topics, and Redis, for tests that only look."""
    with Kafka({topic.name: 1 for topic in needed_topics(Settings.model_construct())}) as kafka, Redis() as redis:
        yield kafka, redis


@pytest.fixture
def healthy(
    servers: tuple[Kafka, Redis], lern_command: Lern, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Healthy]:
    kafka, redis = servers
    monkeypatch.setattr(kafka_admin, "_CONFIGURATION_TIMEOUT", 0.2)
    monkeypatch.setattr(workers, "_taken", lambda _: frozenset(catalogue.QUEUES))
    monkeypatch.setattr(workers, "_beat_seen", lambda _: True)
    monkeypatch.setattr(bridge, "_ANSWER", 0.2)
    with PlatformApi() as platform, Registry() as registry:
        for variable, value in (
            ("KAFKA__BROKERS", kafka.bootstrap),
            ("REDIS__URL", redis.url),
            ("STORE", f"sqlite:{tmp_path / 'store.sqlite'}"),
            ("FILES__URL", f"file://{tmp_path / 'files'}"),
            ("ACTIVITY_AGGREGATE_UPDATER__SERVICE_SEARCH_BASEPATH", platform.search_url),
            ("ENROLMENT_RECONCILIATION__SERVICE_SEARCH_BASEPATH", platform.search_url),
            ("COLLECTION_CERT_PRE_PROCESSOR__SERVICE_CONTENT_BASEPATH", platform.content_url),
            ("COLLECTION_CERT_PRE_PROCESSOR__SERVICE_LEARNER_BASEPATH", platform.learner_url),
            ("COLLECTION_CERTIFICATE_GENERATOR__SERVICE_LEARNER_BASEPATH", platform.learner_url),
            ("COLLECTION_CERTIFICATE_GENERATOR__SERVICE_RC_BASEPATH", registry.api_url),
            ("USER_CACHE_UPDATER__USER_READ_API_URL", f"{platform.learner_url}/private/user/v1/read/"),
        ):
            monkeypatch.setenv(f"LERN_{variable}", value)
        yield Healthy(platform, registry, lern_command)


@pytest.fixture
def bury(installation: Settings) -> Iterator[Callable[..., None]]:
    """Publishes dead letters of progress events, as a task does."""
    kafka = KafkaOut(installation.kafka)

    def publish_dead_letters(
        *values: bytes, error: LernError | None = None, failed_ms: int = 1_700_000_000_000, key: bytes | None = b"u1"
    ) -> None:
        dead_letters = []
        for offset, value in enumerate(values):
            record = Record.from_kafka(
                value=value, topic="dev.coursebatch.job.request", partition=1, offset=offset, key=key, timestamp=17
            )
            failure = failure_of(
                error or InvalidEvent("courseId is missing", "edata.courseId"),
                job="activity_aggregate_updater",
                record=record,
                now_ms=failed_ms,
                task_id="task-1",
            )
            dead_letters.append(DeadLetter(record=record, failure=failure, topic="dev.activity.agg.failed"))
        assert publish(dead_letters, kafka, Files(installation.files.location)) == [None] * len(values)

    yield publish_dead_letters
    kafka.close()


def bury_spilled(settings: Settings, value: bytes) -> None:
    """Publish a dead letter whose value is in a file, as for one that is too large for its topic."""
    record = Record.from_kafka(value=value, topic="t", partition=0, offset=5, key=b"u1", timestamp=17)
    failure = failure_of(
        InvalidEvent("too much"), job="activity_aggregate_updater", record=record, now_ms=1, task_id=None
    )
    message = to_message(DeadLetter(record=record, failure=failure, topic="dev.activity.agg.failed"))
    reference = Files(settings.files.location).put("letters/large", value)
    headers = (*message.headers, ("lern-value-ref", reference.encode()))
    kafka = KafkaOut(settings.kafka)
    assert kafka.publish([replace(message, value=b"{}", headers=headers)]) == [None]
    kafka.close()


def event(user: str, **edata: Any) -> bytes:
    """A progress event without course."""
    return json.dumps({"edata": {"action": "batch-enrolment-update", "userId": user, **edata}}).encode()
