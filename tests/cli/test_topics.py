import json
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from lern_tasks.cli import kafka_admin
from lern_tasks.cli.kafka_admin import FoundTopic
from lern_tasks.cli.topics import judge
from lern_tasks.demo.servers.kafka import Kafka
from lern_tasks.operations.topics import NeededTopic, needed_topics
from lern_tasks.settings import Settings
from tests.cli.conftest import Lern

_DAY = 24 * 3600 * 1000


class Admin:
    """Brokers that have some topics and take new ones."""

    def __init__(self, *topics: str) -> None:
        self.topics = set(topics)
        self.created: dict[str, Any] = {}

    def create_topics(self, new: Sequence[Any], **_: Any) -> dict[str, "Future[None]"]:
        answers = {}
        for topic in new:
            self.created[topic.topic] = topic
            answers[topic.topic] = Future[None]()
            answers[topic.topic].set_result(None)
        return answers


def _failed(name: str = "dev.activity.agg.failed") -> NeededTopic:
    return NeededTopic(name=name, roles=("failed",))


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Admin:
    found = Admin("dev.telemetry.raw")
    monkeypatch.setattr(kafka_admin, "client", lambda _: found)
    monkeypatch.setattr(
        kafka_admin, "topics", lambda *_, **__: {name: FoundTopic(partitions=1) for name in found.topics}
    )
    return found


def test_check_is_content_with_an_installation_that_has_all_topics(
    lern_command: Lern, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_admin, "_CONFIGURATION_TIMEOUT", 0.2)
    with Kafka({topic.name: 1 for topic in needed_topics(Settings.model_construct())}) as kafka:
        result = lern_command("topics", "check", LERN_KAFKA__BROKERS=kafka.bootstrap)
    assert result.exit_code == 0, result.output
    assert "missing" not in result.output


def test_check_names_each_missing_topic_and_what_to_type(lern_command: Lern) -> None:
    with Kafka({"dev.telemetry.raw": 1}) as kafka:
        result = lern_command("topics", "check", "--json", LERN_KAFKA__BROKERS=kafka.bootstrap)
    assert result.exit_code == 1
    rows = {row["topic"]: row for row in json.loads(result.output)}
    assert rows["dev.telemetry.raw"]["ok"]
    missing = rows["dev.coursebatch.job.request"]
    assert (missing["ok"], missing["result"], missing["to_do"]) == (False, "missing", "lern topics create")
    assert {"dev.activity.agg.failed", "dev.lern.tasks.failed", "dev.batch.enrolment.sync.request"} <= rows.keys()


def test_looking_creates_no_topic(lern_command: Lern) -> None:
    with Kafka({"dev.telemetry.raw": 1}) as kafka:
        lern_command("topics", "check", LERN_KAFKA__BROKERS=kafka.bootstrap)
        again = lern_command("topics", "check", "--json", LERN_KAFKA__BROKERS=kafka.bootstrap)
    assert sum(row["ok"] for row in json.loads(again.output)) == 1


def test_kafka_that_is_away_is_said_with_its_address(lern_command: Lern, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_admin, "TIMEOUT", 0.5)
    result = lern_command("topics", "check", LERN_KAFKA__BROKERS="127.0.0.1:9")
    assert result.exit_code == 2
    assert "127.0.0.1:9" in result.output


@pytest.mark.parametrize(
    ("retention", "good"),
    [(7 * _DAY, False), (30 * _DAY - 1, False), (30 * _DAY, True), (-1, True), (None, True)],
)
def test_failed_topics_must_keep_a_month(retention: int | None, good: bool) -> None:
    judgement = judge(_failed(), FoundTopic(partitions=1, retention_ms=retention))
    assert judgement.ok is good
    assert ("retention.ms" in judgement.to_do) is not good


def test_other_topics_may_keep_what_they_like() -> None:
    assert judge(NeededTopic(name="t", roles=("input",)), FoundTopic(partitions=1, retention_ms=1)).ok


def test_create_makes_what_is_missing_with_a_month_for_dead_letters(lern_command: Lern, admin: Admin) -> None:
    result = lern_command("topics", "create", "--partitions", "6", "--replication", "3")
    assert result.exit_code == 0
    assert "dev.telemetry.raw" not in admin.created
    failed, other = admin.created["dev.activity.agg.failed"], admin.created["dev.coursebatch.job.request"]
    assert (other.num_partitions, other.replication_factor) == (6, 3)
    assert failed.config == {"retention.ms": str(30 * _DAY)}
    assert not other.config


def test_create_dry_run_makes_nothing(lern_command: Lern, admin: Admin) -> None:
    result = lern_command("topics", "create", "--dry-run")
    assert not admin.created
    assert "Would create dev.coursebatch.job.request" in result.output
