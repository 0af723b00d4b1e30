"""What the gateway's tests share: a table with every type of column, short ways to read and write."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import RoundRobinPolicy

from lern_tasks.errors import LernError
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import CassandraSettings
from lern_tasks.storage.gateway import Gateway, Key, Mutation, PutCells, Row
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.table_names import JobTables
from lern_tasks.sunbird.tables import QUESTION
from tests.servers.plugin import required

EVERY_TYPE = Table(
    keyspace="tests",
    name="every_type",
    partition=("country", "town"),
    clustering=("street", "house"),
    columns={
        "country": "text",
        "town": "text",
        "street": "text",
        "house": "text",
        "words": "text",
        "whole": "int",
        "flag": "boolean",
        "moment": "timestamp",
        "real": "double",
        "texts": "list<text>",
        "wholes": "map<text, int>",
        "reals": "map<text, double>",
        "moments": "map<text, timestamp>",
        "papers": "list<frozen<map<text, text>>>",
        "templates": "map<text, frozen<map<text, text>>>",
        "small": "float",
        "exact": "decimal",
        "names": "map<text, text>",
        "choices": "map<text, frozen<list<text>>>",
        "answers": "list<frozen<question>>",
    },
    types={"question": QUESTION},
)


def cassandra_settings(address: str, **values: Any) -> Settings:
    """Settings for the server at `host:port`; without the schema check unless asked for."""
    host, _, port = address.rpartition(":")
    return Settings(cassandra=CassandraSettings(**{"hosts": host, "port": int(port), "schema_check": "off", **values}))


@contextmanager
def keyspace(address: str) -> Iterator[str]:
    """A name for a keyspace that nobody else has; on a server of somebody else's it is dropped at the end."""
    name = f"contract_{uuid.uuid4().hex[:12]}"
    try:
        yield name
    finally:
        # A server of our own ends with the run, and a drop takes it half a second of CPU time.
        if not required():
            with cluster(address) as connected:
                # 60 s: on a busy machine a drop waits for the flush of every table.
                connected.connect().execute(f"DROP KEYSPACE IF EXISTS {name}", timeout=60)


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """The plain driver, for what the gateway does not do."""
    host, _, port = address.rpartition(":")
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy())
    made = Cluster([host], port=int(port), protocol_version=5, execution_profiles={EXEC_PROFILE_DEFAULT: profile})
    try:
        yield made
    finally:
        made.shutdown()


def tables_in(name: str) -> JobTables:
    """The tables of the jobs, all in one keyspace."""
    tables = JobTables()
    members = [field.name for field in fields(tables)]
    found: dict[str, Table] = {member: getattr(tables, member) for member in members}
    return replace(tables, **{member: table.renamed(keyspace=name, name=table.name) for member, table in found.items()})


def every_type_in(name: str) -> Table:
    """The table with every type of column in that keyspace."""
    return EVERY_TYPE.renamed(keyspace=name, name=EVERY_TYPE.name)


def sqlite_path(directory: Path) -> str:
    """The file of a SQLite store in `directory`."""
    return str(directory / "store.sqlite")


def new_key(*clustering: str, partition: int = 2) -> Key:
    """A key that no other test uses: tests share the tables of a server."""
    return (*(uuid.uuid4().hex for _ in range(partition)), *(clustering or ("street", "house")))


def put(table: Table, key: Key, timestamp: int | None = None, **cells: Any) -> PutCells:
    """Put cells, shortly."""
    return PutCells(table=table, key=key, cells=cells, timestamp=timestamp)


def write(gateway: Gateway, *mutations: Mutation) -> None:
    """Apply in one call; every one must succeed."""
    assert gateway.apply(mutations) == [None] * len(mutations)


def read(gateway: Gateway, table: Table, key: Key, *columns: str) -> Row | None:
    """One row."""
    row = gateway.get_many(table, [key], columns)[key]
    assert not isinstance(row, LernError), row
    return row


def cell(gateway: Gateway, table: Table, key: Key, column: str) -> Any:
    """One value; None when there is no such row."""
    row = read(gateway, table, key, column)
    return None if row is None else row[column]


def rows_under(gateway: Gateway, table: Table, prefix: Key, *columns: str) -> list[Row]:
    """The rows under one prefix."""
    rows = gateway.select_many(table, [prefix], columns)[prefix]
    assert not isinstance(rows, LernError), rows
    return rows


def sorted_rows(rows: Sequence[Row]) -> list[Mapping[str, Any]]:
    """Rows in an order of their own: the gateway promises none."""
    return cast("list[Mapping[str, Any]]", sorted(rows, key=repr))
