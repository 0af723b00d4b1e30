"""When a table is compared with an installation's, and when again. See docs/operations.md, "Schema check"."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from lern_tasks.errors import DependencyDown, InvalidEvent, SchemaMismatch
from lern_tasks.settings import Settings
from lern_tasks.storage.cassandra import installed_schema
from lern_tasks.storage.cassandra.gateway import CassandraGateway
from lern_tasks.storage.cassandra.installed_schema import InstalledSchema
from lern_tasks.storage.cassandra.schema_check import FoundSchema
from lern_tasks.storage.gateway import PutCells
from lern_tasks.sunbird.table_names import JobTables, needed_tables
from lern_tasks.sunbird.tables import ASSESSMENTS, COURSE_BATCH, ENROLMENTS
from tests.servers.server import Server
from tests.storage import gateways
from tests.storage.test_schema_check import as_declared


class Installation:
    """What system_schema would tell, how often it was asked, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found = FoundSchema()
        self.asked: list[str] = []
        self.now = 1000.0
        self.down = False
        monkeypatch.setattr(installed_schema, "time", self)

    def monotonic(self) -> float:
        return self.now

    def read(self, keyspace: str) -> FoundSchema:
        self.asked.append(keyspace)
        if self.down:
            raise DependencyDown("cassandra")
        return self.found


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> Installation:
    return Installation(monkeypatch)


def test_a_keyspace_is_read_once_for_the_tables_that_fit(installation: Installation) -> None:
    installation.found = as_declared(ENROLMENTS).joined(as_declared(COURSE_BATCH))
    schema = InstalledSchema(installation.read, "refuse")
    for table in (ENROLMENTS, COURSE_BATCH, ENROLMENTS):
        schema.check(table)
        installation.now += 100
    assert installation.asked == ["sunbird_courses"]


def test_what_differs_is_refused_alone_and_looked_at_again_after_a_while(installation: Installation) -> None:
    installation.found = as_declared(ENROLMENTS)
    schema = InstalledSchema(installation.read, "refuse")
    schema.check(ENROLMENTS)
    for _ in range(5):
        with pytest.raises(SchemaMismatch, match="course_batch does not exist"):
            schema.check(COURSE_BATCH)
    assert len(installation.asked) == 1
    installation.found = installation.found.joined(as_declared(COURSE_BATCH))
    installation.now += 2.9
    with pytest.raises(SchemaMismatch):
        schema.check(COURSE_BATCH)
    installation.now += 0.2
    schema.check(COURSE_BATCH)
    schema.check(ENROLMENTS)
    assert len(installation.asked) == 2


def test_an_outage_is_no_difference_and_leaves_nothing_behind(installation: Installation) -> None:
    installation.found = as_declared(ENROLMENTS)
    installation.down = True
    schema = InstalledSchema(installation.read, "refuse")
    with pytest.raises(DependencyDown) as raised:
        schema.check(ENROLMENTS)
    assert not isinstance(raised.value, SchemaMismatch)
    installation.down = False
    schema.check(ENROLMENTS)


@pytest.mark.parametrize(("mode", "reads"), [("warn", 1), ("off", 0)])
def test_the_other_modes_let_the_jobs_work(installation: Installation, mode: Any, reads: int) -> None:
    schema = InstalledSchema(installation.read, mode)
    for _ in range(3):
        schema.check(ENROLMENTS)
        installation.now += 100
    assert len(installation.asked) == reads


def test_columns_that_come_later_are_seen_later(installation: Installation) -> None:
    schema = InstalledSchema(installation.read, "refuse")
    assert schema.present(ENROLMENTS) == frozenset()
    installation.found = as_declared(ENROLMENTS, certstatus=None)
    assert schema.present(ENROLMENTS) == frozenset()
    installation.now += 4
    assert schema.present(ENROLMENTS) == set(ENROLMENTS.columns) - {"certstatus"}
    installation.found = as_declared(ENROLMENTS)
    installation.now += 4
    for _ in range(3):
        assert schema.present(ENROLMENTS) == set(ENROLMENTS.columns)
        installation.now += 100
    assert len(installation.asked) == 3


def test_the_partition_is_that_of_the_installation(installation: Installation) -> None:
    schema = InstalledSchema(installation.read, "off")
    assert schema.partition(ENROLMENTS) == ("userid",)
    assert installation.asked == []
    assert schema.partition(ASSESSMENTS) == ("user_id", "course_id")
    [(partition, clustering)] = ASSESSMENTS.other_keys
    installation.found = as_declared(replace(ASSESSMENTS, partition=partition, clustering=clustering))
    installation.now += 4
    assert schema.partition(ASSESSMENTS) == ("course_id",)


Open = Callable[[str], CassandraGateway]


@pytest.fixture
def opened(cassandra_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setattr(installed_schema, "_AGAIN", 0.0)
    made: list[CassandraGateway] = []

    def open_gateway(mode: str) -> CassandraGateway:
        made.append(CassandraGateway(gateways.cassandra_settings(cassandra_server.address, schema_check=mode)))
        return made[-1]

    yield open_gateway
    for gateway in made:
        gateway.close()


@pytest.fixture
def tables(cassandra_server: Server) -> Iterator[JobTables]:
    with gateways.keyspace(cassandra_server.address) as name:
        yield gateways.tables_in(name)


KEY = ("user", "course", "batch")


@pytest.mark.stack
def test_a_job_works_without_the_tables_of_others_and_goes_on_when_its_own_are_mended(
    opened: Open, tables: JobTables
) -> None:
    gateway, migrations = opened("refuse"), opened("off")
    migrations.create([tables.enrolments])
    changes = [
        PutCells(table=tables.enrolments, key=KEY, cells={"status": 1}),
        PutCells(table=tables.course_batch, key=("course", "batch"), cells={"cert_templates": None}),
        PutCells(table=tables.enrolments, key=KEY, cells={"progress": 1}),
    ]
    for _ in range(2):
        done = gateway.apply(changes)
        assert isinstance(done[1], SchemaMismatch)
        assert "course_batch does not exist" in str(done[1])
        assert (done[0], done[2]) == (None, None)
        assert gateway.get_many(tables.enrolments, [KEY], ["status"]) == {KEY: {"status": 1}}
        refused = gateway.get_many(tables.course_batch, [("course", "batch"), ("", "")], ["cert_templates"])
        assert [type(error) for error in refused.values()] == [SchemaMismatch, SchemaMismatch]
        with pytest.raises(SchemaMismatch):
            gateway.scan(tables.course_batch, ["courseid"], after=None, limit=1)
    gateway.ping()
    migrations.create([tables.course_batch])
    assert gateway.apply(changes) == [None] * 3
    assert gateway.get_many(tables.course_batch, [("course", "batch")], []) == {("course", "batch"): None}


@pytest.mark.stack
@pytest.mark.parametrize("mode", ["warn", "off"])
def test_a_table_that_differs_is_used_all_the_same(opened: Open, tables: JobTables, mode: str) -> None:
    gateway = opened(mode)
    columns = {name: kind for name, kind in tables.enrolments.columns.items() if name != "certificates"}
    gateway.create([replace(tables.enrolments, columns={**columns, "progress": "text"})])
    found = gateway.get_many(tables.enrolments, [KEY, ("", "c", "b")], ["status"])
    assert found[KEY] is None
    assert isinstance(found["", "c", "b"], InvalidEvent)
    absent = gateway.get_many(tables.enrolments, [KEY], ["certificates"])[KEY]
    assert isinstance(absent, SchemaMismatch)
    assert gateway.present(tables.enrolments) == set(tables.enrolments.columns) - {"certificates"}
    assert gateway.present(tables.course_batch) == frozenset()


@pytest.mark.stack
def test_all_that_the_jobs_need_is_looked_at_together(cassandra_server: Server, tables: JobTables) -> None:
    keyspace = tables.enrolments.keyspace
    own = {"lms_cassandra_keyspace": keyspace}
    jobs = (
        "relation_cache_updater",
        "activity_aggregate_updater",
        "assessment_aggregator",
        "enrolment_reconciliation",
        "collection_cert_pre_processor",
    )
    settings = Settings.model_validate(
        {
            **dict.fromkeys(jobs, own),
            "cassandra": gateways.cassandra_settings(cassandra_server.address).cassandra.model_dump(),
            "merge_user_courses": own | {"ledger_keyspace": keyspace},
            "collection_certificate_generator": own | {"lms_cassandra_sbkeyspace": keyspace},
            "user_cache_updater": {"sunbird_cassandra_keyspace": keyspace},
        }
    )
    needed = needed_tables(settings)
    assert {table.keyspace for table in needed} == {keyspace}
    gateway = CassandraGateway(settings)
    gateway.create([table for table in needed if not table.ours])
    assert gateway.schema_differences(needed) == [f"table {keyspace}.merge_ledger does not exist: lern tables create"]
    gateway.create(needed)
    assert gateway.schema_differences(needed) == []
    gateway.close()
