"""Differences between the declared tables and an installation's are told in words that say what to do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from lern_tasks.errors import InvalidEvent, SchemaMismatch, SettingsError
from lern_tasks.settings import Settings
from lern_tasks.stores.cassandra import CassandraGateway
from lern_tasks.stores.schema_check import FoundColumn, FoundTable, act_on, differences, found_tables, needed_tables
from lern_tasks.stores.table import Table
from lern_tasks.stores.tables import ACTIVITY_AGG, ENROLMENTS
from tests.stack.server import Server


def as_declared(table: Table, **changed: FoundColumn | None) -> dict[str, FoundTable]:
    """What Cassandra tells of `table`, with columns changed, or left out for None."""
    columns: dict[str, FoundColumn | None] = {
        name: FoundColumn(type=kind, kind="regular") for name, kind in table.columns.items()
    }
    for kind, names in (("partition_key", table.partition), ("clustering", table.clustering)):
        for position, name in enumerate(names):
            columns[name] = FoundColumn(type=table.columns[name], kind=kind, position=position)
    columns |= changed
    return {table.full_name: {name: column for name, column in columns.items() if column is not None}}


@pytest.mark.parametrize("table", needed_tables(Settings()), ids=lambda table: table.name)
def test_a_table_as_declared_has_no_difference(table: Table) -> None:
    assert differences([table], as_declared(table)) == []


def test_further_columns_are_the_installations_own_affair() -> None:
    found = as_declared(ENROLMENTS, oldenrolleddate=FoundColumn(type="text", kind="regular"))
    assert differences([ENROLMENTS], found) == []


def test_every_table_of_every_job_is_needed_once() -> None:
    names = [table.full_name for table in needed_tables(Settings(env="local"))]
    assert sorted(names) == [
        "local_hierarchy_store.content_hierarchy",
        "sunbird.cert_registry",
        "sunbird_courses.course_batch",
        "sunbird_courses.user_activity_agg",
        "sunbird_courses.user_content_consumption",
        "sunbird_courses.user_enrolments",
    ]


def test_a_missing_table() -> None:
    (line,) = differences([ENROLMENTS], {})
    assert line.startswith("table sunbird_courses.user_enrolments does not exist: run the platform's migrations")


def test_a_missing_column() -> None:
    (line,) = differences([ENROLMENTS], as_declared(ENROLMENTS, contentstatus=None))
    assert "has no column contentstatus" in line
    assert "ALTER TABLE sunbird_courses.user_enrolments ADD contentstatus map<text, int>" in line


def test_another_type() -> None:
    found = as_declared(ENROLMENTS, completedon=FoundColumn(type="text", kind="regular"))
    (line,) = differences([ENROLMENTS], found)
    assert line.startswith(
        "column completedon of table sunbird_courses.user_enrolments is text, and the jobs need timestamp: "
    )


def test_varchar_is_text() -> None:
    found = as_declared(ENROLMENTS, addedby=FoundColumn(type="varchar", kind="regular"))
    assert differences([ENROLMENTS], found) == []


def test_a_frozen_collection_cannot_be_written_by_entry() -> None:
    found = as_declared(ENROLMENTS, contentstatus=FoundColumn(type="frozen<map<text, int>>", kind="regular"))
    (line,) = differences([ENROLMENTS], found)
    assert "frozen<map<text, int>>" in line


def test_a_static_column() -> None:
    found = as_declared(ENROLMENTS, status=FoundColumn(type="int", kind="static"))
    (line,) = differences([ENROLMENTS], found)
    assert "status of table sunbird_courses.user_enrolments is static" in line


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"clustering": ("batchid", "courseid")}, "((userid), batchid, courseid)"),
        ({"partition": ("userid", "courseid"), "clustering": ("batchid",)}, "((userid, courseid), batchid)"),
        ({"clustering": ("courseid", "batchid", "addedby")}, "((userid), courseid, batchid, addedby)"),
        ({"clustering": ("courseid",)}, "((userid), courseid)"),
    ],
)
def test_the_order_and_the_parts_of_the_key_matter(change: Mapping[str, Any], told: str) -> None:
    (line,) = differences([ENROLMENTS], as_declared(replace(ENROLMENTS, **change)))
    assert f"has the key {told}, and the jobs need ((userid), courseid, batchid): a key cannot be altered" in line


def test_the_order_of_partition_columns_matters() -> None:
    turned = replace(ACTIVITY_AGG, partition=("activity_id", "activity_type", "user_id"))
    (line,) = differences([ACTIVITY_AGG], as_declared(turned))
    assert "((activity_id, activity_type, user_id), context_id)" in line


def test_a_key_column_that_is_missing_is_told_with_the_key_only() -> None:
    (line,) = differences([ENROLMENTS], as_declared(ENROLMENTS, batchid=None))
    assert "has the key ((userid), courseid)" in line


def test_names_in_settings_are_compared_as_cassandra_keeps_them() -> None:
    asked: list[str] = []

    def columns_of(keyspace: str) -> Sequence[Mapping[str, Any]]:
        asked.append(keyspace)
        return [
            {
                "table_name": name.rpartition(".")[2],
                "column_name": column,
                "type": c.type,
                "kind": c.kind,
                "position": 0,
            }
            for name, columns in as_declared(ENROLMENTS).items()
            for column, c in columns.items()
        ]

    loud = ENROLMENTS.renamed(keyspace="Sunbird_Courses", name="USER_ENROLMENTS")
    found = found_tables([loud, ENROLMENTS], columns_of)
    assert asked == ["sunbird_courses"]
    assert set(found["sunbird_courses.user_enrolments"]) == set(ENROLMENTS.columns)
    assert not any("does not exist" in line for line in differences([loud], found))


def test_what_cannot_be_a_name_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="cannot be the name"):
        differences([ENROLMENTS.renamed(keyspace='x" ; DROP', name="y")], {})


def test_refuse_raises_all_differences_and_the_other_modes_do_not() -> None:
    with pytest.raises(SchemaMismatch, match=r"^one; two$"):
        act_on(["one", "two"], "refuse")
    act_on([], "refuse")
    act_on(["one"], "warn")
    act_on(["one"], "off")


Open = Callable[[str], CassandraGateway]


@pytest.fixture
def keyspaces() -> Mapping[str, str]:
    """Settings that name keyspaces of this test's own."""
    return {name: f"{name}_{uuid4().hex[:12]}" for name in ("courses", "sunbird", "hierarchy")}


@pytest.fixture
def opened(cassandra_server: Server, keyspaces: Mapping[str, str]) -> Iterator[Open]:
    host, _, port = cassandra_server.address.rpartition(":")
    gateways: list[CassandraGateway] = []

    def open_gateway(mode: str) -> CassandraGateway:
        server = {"hosts": host, "port": int(port), "schema_check": mode, "hierarchy_keyspace": keyspaces["hierarchy"]}
        own = {"lms_cassandra_keyspace": keyspaces["courses"]}
        values = {
            "cassandra": server,
            "activity_aggregate_updater": own,
            "collection_cert_pre_processor": own,
            "collection_certificate_generator": own | {"lms_cassandra_sbkeyspace": keyspaces["sunbird"]},
        }
        settings = Settings.model_validate(values)
        gateways.append(CassandraGateway(settings))
        return gateways[-1]

    yield open_gateway
    for gateway in gateways:
        gateway.close()


def tables_of(keyspaces: Mapping[str, str]) -> dict[str, Table]:
    names = {"sunbird_courses": "courses", "sunbird": "sunbird", "dev_hierarchy_store": "hierarchy"}
    return {
        table.name: table.renamed(keyspace=keyspaces[names[table.keyspace]], name=table.name)
        for table in needed_tables(Settings())
    }


@pytest.mark.stack
def test_a_differing_installation_is_refused_until_it_is_mended(opened: Open, keyspaces: Mapping[str, str]) -> None:
    gateway, tables, key = opened("refuse"), tables_of(keyspaces), ("user", "course", "batch")
    enrolments = tables.pop("user_enrolments")
    gateway.create(list(tables.values()))
    (line,) = gateway.schema_differences()
    assert f"table {enrolments.full_name} does not exist" in line
    for _ in range(2):
        refused = gateway.get_many(enrolments, [key, ("", "", "")], ["status"])
        assert [type(error) for error in refused.values()] == [SchemaMismatch, SchemaMismatch]
        assert str(refused[key]) == line
    gateway.ping()
    gateway.create([enrolments])
    assert gateway.schema_differences() == []
    assert gateway.get_many(enrolments, [key], ["status"]) == {key: None}


@pytest.mark.stack
@pytest.mark.parametrize("mode", ["warn", "off"])
def test_the_other_modes_let_the_jobs_work(opened: Open, keyspaces: Mapping[str, str], mode: str) -> None:
    gateway, tables = opened(mode), tables_of(keyspaces)
    gateway.create([tables["user_enrolments"]])
    found = gateway.get_many(tables["user_enrolments"], [("user", "course", "batch"), ("", "c", "b")], ["status"])
    assert found[("user", "course", "batch")] is None
    assert isinstance(found[("", "c", "b")], InvalidEvent)
