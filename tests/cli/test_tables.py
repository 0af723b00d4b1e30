"""`lern tables`: our own tables on a real Cassandra, and what it refuses without one."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cassandra.cluster import Session

from lern_tasks.settings import Settings, load
from tests.cli.conftest import Lern
from tests.servers.ports import free_ports
from tests.servers.server import Server
from tests.storage import gateways

TWO_COPIES = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 2}"


@pytest.fixture
def session(cassandra_server: Server) -> Iterator[Session]:
    with gateways.cluster(cassandra_server.address) as cluster:
        yield cluster.connect()


@pytest.fixture
def real(lern_command: Lern, cassandra_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An installation with a keyspace of courses and none of ours."""
    host, _, port = cassandra_server.address.rpartition(":")
    monkeypatch.setenv("LERN_CASSANDRA__HOSTS", host)
    monkeypatch.setenv("LERN_CASSANDRA__PORT", port)
    address = cassandra_server.address
    with gateways.keyspace(address) as ours, gateways.keyspace(address) as courses:
        monkeypatch.setenv("LERN_MERGE_USER_COURSES__LEDGER_KEYSPACE", ours)
        monkeypatch.setenv("LERN_MERGE_USER_COURSES__LMS_CASSANDRA_KEYSPACE", courses)
        yield load()


def replication(session: Session, keyspace: str) -> dict[str, str]:
    text = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = %s"
    return {name: value.rpartition(".")[2] for name, value in session.execute(text, [keyspace]).one()[0].items()}


def table_names(session: Session, keyspace: str) -> set[str]:
    text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s"
    return {row[0] for row in session.execute(text, [keyspace])}


def checked(lern_command: Lern) -> tuple[int, list[dict[str, Any]]]:
    result = lern_command("tables", "check", "--json")
    return result.exit_code, json.loads(result.output)


@pytest.mark.stack
def test_a_table_of_ours_is_created_once_with_the_replication_of_the_courses(
    lern_command: Lern, real: Settings, session: Session
) -> None:
    ours, courses = real.merge_user_courses.ledger_keyspace, real.merge_user_courses.lms_cassandra_keyspace
    session.execute(f"CREATE KEYSPACE {courses} WITH replication = {TWO_COPIES}")
    code, [row] = checked(lern_command)
    assert code == 1
    assert row == {
        "table": f"{ours}.merge_ledger",
        "ok": False,
        "result": f"table {ours}.merge_ledger does not exist",
        "to_do": "lern tables create",
    }
    planned = lern_command("tables", "create", "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert f"Would create {ours}.merge_ledger in a new keyspace" in planned.output
    assert table_names(session, ours) == set()
    created = lern_command("tables", "create")
    assert created.exit_code == 0, created.output
    assert f"Created {ours}.merge_ledger" in created.output
    assert replication(session, ours) == {"class": "NetworkTopologyStrategy", "datacenter1": "2"}
    assert table_names(session, ours) == {"merge_ledger"}
    # Never the platform's.
    assert table_names(session, courses) == set()
    assert checked(lern_command) == (
        0,
        [{"table": f"{ours}.merge_ledger", "ok": True, "result": "as the jobs need it", "to_do": ""}],
    )
    assert "All tables are there" in lern_command("tables", "create").output
    assert "merge_ledger" in lern_command("tables", "check").output


@pytest.mark.stack
def test_an_existing_keyspace_keeps_its_replication(lern_command: Lern, real: Settings, session: Session) -> None:
    ours = real.merge_user_courses.ledger_keyspace
    session.execute(f"CREATE KEYSPACE {ours} WITH replication = {TWO_COPIES}")
    asked = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    created = lern_command("tables", "create", "--replication", asked)
    assert created.exit_code == 0, created.output
    assert created.output.strip() == f"Created {ours}.merge_ledger"
    assert replication(session, ours) == {"class": "NetworkTopologyStrategy", "datacenter1": "2"}


@pytest.mark.stack
def test_without_a_keyspace_to_copy_from_the_replication_must_be_given(
    lern_command: Lern, real: Settings, session: Session
) -> None:
    refused = lern_command("tables", "create")
    assert refused.exit_code == 2
    assert "--replication" in refused.output
    ours = real.merge_user_courses.ledger_keyspace
    created = lern_command("tables", "create", "--replication", "{'class': 'SimpleStrategy', 'replication_factor': 1}")
    assert created.exit_code == 0, created.output
    assert replication(session, ours) == {"class": "SimpleStrategy", "replication_factor": "1"}


@pytest.mark.stack
def test_a_table_that_differs_is_told_and_left_alone(lern_command: Lern, real: Settings, session: Session) -> None:
    ours = real.merge_user_courses.ledger_keyspace
    session.execute(f"CREATE KEYSPACE {ours} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    session.execute(f"CREATE TABLE {ours}.merge_ledger (from_id text PRIMARY KEY, done boolean)")
    code, rows = checked(lern_command)
    assert code == 1
    assert any("has the key ((from_id))" in row["result"] for row in rows)
    assert any("ALTER TABLE" in row["to_do"] and "added_views int" in row["to_do"] for row in rows)
    assert "All tables are there" in lern_command("tables", "create").output
    assert checked(lern_command) == (code, rows)


@pytest.mark.parametrize("text", ["3", "{'replication_factor': 3}", "{'class': ['x']}", "{x", "__import__('os')"])
def test_what_is_no_replication_is_refused(lern_command: Lern, text: str) -> None:
    refused = lern_command("tables", "create", "--replication", text)
    assert refused.exit_code == 2
    assert "is not a CQL map" in refused.output


@pytest.mark.parametrize("action", ["create", "check"])
def test_without_cassandra(lern_command: Lern, action: str, tmp_path: Path) -> None:
    [port] = free_ports(1)
    down = lern_command("tables", action, LERN_CASSANDRA__HOSTS="127.0.0.1", LERN_CASSANDRA__PORT=str(port))
    assert down.exit_code == 2
    assert "LERN_CASSANDRA__HOSTS" in down.output
    store = f"sqlite:{tmp_path / uuid.uuid4().hex}"
    assert "needs no tables" in lern_command("tables", action, LERN_STORE=store).output
