"""`lern doctor` on real Cassandra and Redis: the schema by job, and one server under two names."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lern_tasks.cli import kafka_admin
from lern_tasks.cli.doctor import relation_cache
from lern_tasks.settings import load
from lern_tasks.storage.cassandra.gateway import CassandraGateway
from lern_tasks.sunbird.table_names import users_of_tables
from tests.cli.conftest import Lern
from tests.servers.server import Server
from tests.storage import gateways

pytestmark = pytest.mark.stack

_KEYSPACES = (
    "RELATION_CACHE_UPDATER__LMS_CASSANDRA_KEYSPACE",
    "MERGE_USER_COURSES__LMS_CASSANDRA_KEYSPACE",
    "MERGE_USER_COURSES__LEDGER_KEYSPACE",
    "ASSESSMENT_AGGREGATOR__LMS_CASSANDRA_KEYSPACE",
    "USER_CACHE_UPDATER__SUNBIRD_CASSANDRA_KEYSPACE",
)


@pytest.fixture
def keyspace(cassandra_server: Server, lern_command: Lern, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty keyspace that the jobs' settings name; nothing else of the installation answers."""
    host, _, port = cassandra_server.address.rpartition(":")
    monkeypatch.setenv("LERN_CASSANDRA__HOSTS", host)
    monkeypatch.setenv("LERN_CASSANDRA__PORT", port)
    monkeypatch.setenv("LERN_REDIS__URL", "redis://127.0.0.1:9")
    monkeypatch.setenv("LERN_KAFKA__BROKERS", "127.0.0.1:9")
    monkeypatch.setattr(kafka_admin, "TIMEOUT", 0.2)
    with gateways.keyspace(cassandra_server.address) as name:
        for variable in _KEYSPACES:
            monkeypatch.setenv(f"LERN_{variable}", name)
        yield name


def _schema(lern: Lern, job: str, check: str = "schema") -> list[dict[str, Any]]:
    findings = json.loads(lern("doctor", "--json", "--timeout", "120", "--job", job).output)
    return [finding for finding in findings if finding["check"] == check]


def test_the_schema_by_job(lern_command: Lern, keyspace: str) -> None:
    missing = {finding["result"]: finding for finding in _schema(lern_command, "merge-user-courses")}
    ledger = missing[f"table {keyspace}.merge_ledger does not exist"]
    assert ledger["to_do"] == "lern tables create"
    assert all(f["jobs"] == ["merge_user_courses"] and f["level"] == "problem" and f["why"] for f in missing.values())
    assert not [result for result in missing if "content_hierarchy" in result]

    gateway = CassandraGateway(load())
    gateway.create(list(users_of_tables(load(), ["merge_user_courses"])))
    gateway.close()
    assert [finding["level"] for finding in _schema(lern_command, "merge-user-courses")] == ["ok"]
    (hierarchies,) = _schema(lern_command, "relation-cache-updater")
    assert hierarchies["result"] == f"table {keyspace}.content_hierarchy does not exist"


def test_the_user_tables_are_a_warning(lern_command: Lern, keyspace: str) -> None:
    assert _schema(lern_command, "user-cache-updater") == []
    found = _schema(lern_command, "user-cache-updater", "user tables")
    assert {finding["level"] for finding in found} == {"warning"}
    assert len(found) == 5


def test_a_server_tells_its_history(redis_server: Server) -> None:
    assert relation_cache._history(redis_server.address)
    other = redis_server.address.replace("127.0.0.1", "localhost")
    assert relation_cache._history(other) == relation_cache._history(redis_server.address)
    assert relation_cache.same_place(redis_server.address, other)
