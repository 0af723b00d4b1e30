"""One gateway and one Redis of each kind. Tests share the tables of a server, so each takes keys of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import fakeredis
import pytest
import redis

from lern_tasks.connections.redis import Client
from lern_tasks.storage.cassandra.gateway import CassandraGateway
from lern_tasks.storage.gateway import Gateway
from lern_tasks.storage.sqlite.gateway import SqliteGateway
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.table_names import JobTables
from tests.servers.server import Server
from tests.storage import gateways

NO_SERVER = "contract"
"""The keyspace's name on SQLite, where each test has a file of its own."""


@pytest.fixture(scope="session")
def cassandra_keyspace(cassandra_server: Server) -> Iterator[str]:
    with gateways.keyspace(cassandra_server.address) as name:
        yield name


@pytest.fixture(scope="session")
def cassandra_gateway(cassandra_server: Server, cassandra_keyspace: str) -> Iterator[CassandraGateway]:
    gateway = CassandraGateway(gateways.cassandra_settings(cassandra_server.address))
    tables = gateways.tables_in(cassandra_keyspace)
    gateway.create([tables.content_consumption, tables.enrolments, tables.activity_agg, tables.course_batch])
    gateway.create([tables.content_hierarchy, tables.cert_registry, gateways.every_type_in(cassandra_keyspace)])
    yield gateway
    gateway.close()


@pytest.fixture
def sqlite_gateway(tmp_path: Path) -> Iterator[SqliteGateway]:
    gateway = SqliteGateway(gateways.sqlite_path(tmp_path))
    yield gateway
    gateway.close()


@pytest.fixture(params=["sqlite", pytest.param("cassandra", marks=pytest.mark.stack)])
def kind(request: pytest.FixtureRequest) -> str:
    return cast("str", request.param)


@pytest.fixture
def gateway(request: pytest.FixtureRequest, kind: str) -> Gateway:
    return cast("Gateway", request.getfixturevalue(f"{kind}_gateway"))


@pytest.fixture
def keyspace(request: pytest.FixtureRequest, kind: str) -> str:
    return cast("str", request.getfixturevalue("cassandra_keyspace")) if kind == "cassandra" else NO_SERVER


@pytest.fixture
def tables(keyspace: str) -> JobTables:
    return gateways.tables_in(keyspace)


@pytest.fixture
def table(keyspace: str) -> Table:
    return gateways.every_type_in(keyspace)


@pytest.fixture(params=["fakeredis", pytest.param("redis", marks=pytest.mark.stack)])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """An empty Redis: in memory, and a real one."""
    if request.param == "fakeredis":
        made: Any = fakeredis.FakeRedis(decode_responses=True)
    else:
        made = redis.Redis.from_url(f"{request.getfixturevalue('redis_server').address}/9", decode_responses=True)
    made.flushdb()
    yield made
    made.flushdb()
    made.close()
