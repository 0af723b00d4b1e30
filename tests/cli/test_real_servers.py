"""The commands on real Kafka, Redis and Cassandra: what the embedded ones do not tell."""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from lern_tasks.connections.files import Files
from lern_tasks.connections.kafka import KafkaOut, OutMessage
from lern_tasks.delivery.dead_letter import DeadLetter, failure_of, publish
from lern_tasks.delivery.record import Record
from lern_tasks.errors import InvalidEvent
from lern_tasks.operations.topics import needed_topics
from lern_tasks.settings import Settings, load
from lern_tasks.storage.cassandra.gateway import CassandraGateway
from lern_tasks.sunbird.table_names import needed_tables
from tests.cli.conftest import Lern, event
from tests.harness.waiting import wait_until
from tests.servers.server import Server
from tests.storage import gateways

pytestmark = pytest.mark.stack

_DAY = 24 * 3600 * 1000


@pytest.fixture
def real(kafka_server: Server, lern_command: Lern, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An installation of its own on the Kafka server, its topics gone at the end."""
    monkeypatch.setenv("LERN_KAFKA__BROKERS", kafka_server.address)
    monkeypatch.setenv("LERN_ENV", f"cli{uuid.uuid4().hex[:8]}")
    settings = load()
    yield settings
    admin = AdminClient({"bootstrap.servers": kafka_server.address})
    names = [topic.name for topic in needed_topics(settings)]
    for answer in admin.delete_topics(names).values():
        answer.exception(30)


def test_topics_are_created_once_and_then_checked(lern_command: Lern, real: Settings) -> None:
    assert lern_command("topics", "check").exit_code == 1
    created = lern_command("topics", "create", "--partitions", "3")
    assert created.exit_code == 0, created.output
    wait_until(lambda: lern_command("topics", "check").exit_code == 0, seconds=30, what="all topics are there")
    rows = {row["topic"]: row for row in json.loads(lern_command("topics", "check", "--json").output)}
    assert rows[f"{real.env}.activity.agg.failed"]["result"] == "3 partitions, kept for 30 days"
    assert "All topics are there" in lern_command("topics", "create").output


def test_a_failed_topic_that_forgets_is_found(lern_command: Lern, real: Settings) -> None:
    from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined] # noqa: PLC0415

    name = f"{real.env}.activity.agg.failed"
    admin = AdminClient({"bootstrap.servers": real.kafka.brokers})
    admin.create_topics([NewTopic(name, 1, 1, config={"retention.ms": str(2 * _DAY)})])[name].result(30)
    lern_command("topics", "create")

    def rows() -> dict[str, dict[str, str]]:
        return {row["topic"]: row for row in json.loads(lern_command("topics", "check", "--json").output)}

    # A broker that is busy tells of a new topic a moment later.
    wait_until(lambda: rows()[name]["result"] != "missing", seconds=30, what="the topic is seen")
    assert rows()[name]["result"] == "keeps dead letters for 2 days only"
    assert "retention.ms=2592000000" in rows()[name]["to_do"]


def test_rewind_to_a_time_and_the_refusal_while_the_bridge_runs(
    lern_command: Lern, real: Settings, redis_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LERN_REDIS__DEDUP", f"{redis_server.address}/13")
    assert lern_command("topics", "create", "--partitions", "1").exit_code == 0
    topic = f"{real.env}.coursebatch.job.request"
    kafka = KafkaOut(real.kafka)
    assert kafka.publish([OutMessage(topic=topic, value=b"old")] * 3) == [None] * 3
    sent = time.time()
    # Kafka's times are in milliseconds: the later records must have a later one.
    wait_until(lambda: time.time() > sent + 0.002, seconds=5, what="the clock moves")
    moment = datetime.now(UTC).isoformat()
    assert kafka.publish([OutMessage(topic=topic, value=b"new")] * 4) == [None] * 4
    kafka.close()

    group = f"{real.env}-activity-aggregate-group"
    options = ("rewind", "--job", "activity_aggregate_updater", "--to", moment)
    bridge = Consumer({"bootstrap.servers": real.kafka.brokers, "group.id": group, "auto.offset.reset": "earliest"})
    bridge.subscribe([topic])
    taken: list[Any] = []

    def all_taken() -> bool:
        message = bridge.poll(0.2)
        if message is not None and message.error() is None:
            taken.append(message)
        return len(taken) == 7

    wait_until(all_taken, seconds=60, what="the bridge has read the topic")
    bridge.commit(asynchronous=False)
    refused = lern_command(*options, "--force")
    assert refused.exit_code == 2
    assert "1 members" in refused.output
    bridge.close()

    done = lern_command(*options)
    assert done.exit_code == 0, done.output
    assert "4 records will be read again" in done.output
    look = Consumer({"bootstrap.servers": real.kafka.brokers, "group.id": group})
    assert look.committed([TopicPartition(topic, 0)], timeout=10)[0].offset == 3
    look.close()


def test_dead_letters_are_listed_and_replayed(
    lern_command: Lern, real: Settings, redis_server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    # Databases that no worker of another test takes from.
    monkeypatch.setenv("LERN_REDIS__BROKER", f"{redis_server.address}/14")
    monkeypatch.setenv("LERN_REDIS__STATE", f"{redis_server.address}/15")
    assert lern_command("topics", "create").exit_code == 0
    kafka = KafkaOut(real.kafka)
    dead_letters = []
    for offset in range(30):
        record = Record.from_kafka(
            value=event(f"u{offset}"), topic="t", partition=0, offset=offset, key=b"k", timestamp=1
        )
        failure = failure_of(
            InvalidEvent("wrong"), job="activity_aggregate_updater", record=record, now_ms=1 + offset, task_id=None
        )
        dead_letters.append(
            DeadLetter(record=record, failure=failure, topic=real.failed_topic("activity_aggregate_updater"))
        )
    dead_letters.append(replace(dead_letters[0], topic=real.failed_topic("relation_cache_updater")))
    assert publish(dead_letters, kafka, Files(f"file://{tmp_path}")) == [None] * 31
    kafka.close()
    rows = json.loads(lern_command("dead-letters", "list", "--json").output)
    assert len(rows) == 31
    assert len({row["topic"] for row in rows}) == 2
    first = lern_command("dead-letters", "replay", "--user", "u7")
    assert "1 replayed" in first.output
    assert "1 replayed before" in lern_command("dead-letters", "replay", "--user", "u7").output


def test_doctor_reads_persistence_eviction_clocks_and_schema(
    lern_command: Lern,
    real: Settings,
    redis_server: Server,
    cassandra_server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host, _, port = cassandra_server.address.rpartition(":")
    monkeypatch.setenv("LERN_REDIS__URL", redis_server.address)
    monkeypatch.setenv("LERN_CASSANDRA__HOSTS", host)
    monkeypatch.setenv("LERN_CASSANDRA__PORT", port)
    with gateways.keyspace(cassandra_server.address) as keyspace:
        for variable in (
            "RELATION_CACHE_UPDATER__LMS_CASSANDRA_KEYSPACE",
            "ACTIVITY_AGGREGATE_UPDATER__LMS_CASSANDRA_KEYSPACE",
            "ASSESSMENT_AGGREGATOR__LMS_CASSANDRA_KEYSPACE",
            "ENROLMENT_RECONCILIATION__LMS_CASSANDRA_KEYSPACE",
            "MERGE_USER_COURSES__LMS_CASSANDRA_KEYSPACE",
            "MERGE_USER_COURSES__LEDGER_KEYSPACE",
            "USER_CACHE_UPDATER__SUNBIRD_CASSANDRA_KEYSPACE",
            "COLLECTION_CERT_PRE_PROCESSOR__LMS_CASSANDRA_KEYSPACE",
            "COLLECTION_CERTIFICATE_GENERATOR__LMS_CASSANDRA_KEYSPACE",
            "COLLECTION_CERTIFICATE_GENERATOR__LMS_CASSANDRA_SBKEYSPACE",
        ):
            monkeypatch.setenv(f"LERN_{variable}", keyspace)
        before = _findings(lern_command)
        assert any(f["level"] == "problem" and "does not exist" in f["result"] for f in before["schema"])
        gateway = CassandraGateway(load())
        gateway.create(needed_tables(load()))
        gateway.close()
        after = _findings(lern_command)
    assert [f["level"] for f in after["schema"]] == ["ok"], after["schema"]
    assert [f["level"] for f in after["cassandra"]] == ["ok"]
    assert [f["level"] for f in after["clock redis"]] == ["ok"]
    assert [f["level"] for f in after["clock cassandra"]] == ["ok"]
    broker = [finding["result"] for finding in after["redis broker"]]
    assert "a power cut loses up to half a minute" in broker
    assert any("evict" in result or "throws" in result for result in broker)


def _findings(lern_command: Lern) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in json.loads(lern_command("doctor", "--json", "--timeout", "120").output):
        found.setdefault(finding["check"], []).append(finding)
    return found
