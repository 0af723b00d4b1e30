"""The bulk user index on real Cassandra and Redis: the same hashes as from SQLite and the embedded Redis."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from lern_tasks.cli.index_users.run import IndexRun
from lern_tasks.jobs.users.index import pages
from lern_tasks.jobs.users.index.plan import IndexPlan, IndexTally
from lern_tasks.jobs.users.resources import UserResources
from lern_tasks.storage.gateway import Mutation, PutCells, ReplaceCollection
from lern_tasks.sunbird.table_names import for_job
from tests.harness.processes import settings_of
from tests.servers.redis import RedisServer
from tests.servers.server import Server
from tests.storage.gateways import keyspace

pytestmark = pytest.mark.stack

USERS = 250
ALL = IndexPlan(since=None, refresh=False, anonymous=False)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """One of our own: the databases have fixed numbers."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def real(cassandra_server: Server, redis: RedisServer) -> Iterator[UserResources]:
    host, _, port = cassandra_server.address.rpartition(":")
    with keyspace(cassandra_server.address) as name:
        ctx = world_of(
            redis,
            LERN_CASSANDRA__HOSTS=host,
            LERN_CASSANDRA__PORT=port,
            LERN_USER_CACHE_UPDATER__SUNBIRD_CASSANDRA_KEYSPACE=name,
        )
        yield ctx
        ctx.gateway.close()
        ctx.redis.close()


def world_of(redis: RedisServer, **env: str) -> UserResources:
    return UserResources(settings_of({"LERN_REDIS__URL": redis.address, **env}), Celery("test"))


def seed(ctx: UserResources) -> None:
    tables = for_job(ctx.settings, "user_cache_updater")
    ctx.gateway.create(
        [tables.users, tables.user_organisations, tables.organisations, tables.locations, tables.system_settings]
    )
    rows: list[Mutation] = [
        PutCells(table=tables.system_settings, key=("custodianOrgId",), cells={"value": "custodian"}),
        PutCells(table=tables.organisations, key=("root",), cells={"orgname": "Karnataka", "organisationtype": 5}),
        PutCells(table=tables.organisations, key=("s1",), cells={"orgname": "[RPM] High", "organisationtype": 2}),
        PutCells(table=tables.locations, key=("l1",), cells={"name": "Mysuru", "type": "district"}),
    ]
    for number in range(USERS):
        user = f"u{number:03d}"
        cells: dict[str, Any] = {"userid": user, "firstname": f"Name {number}", "rootorgid": "root"}
        cells |= {"profilelocation": '[{"type": "district", "id": "l1"}]', "profileusertypes": '[{"type": "teacher"}]'}
        rows.append(PutCells(table=tables.users, key=(user,), cells=cells))
        framework = {"board": ["CBSE"], "medium": ["Hindi", "Urdu"]}
        rows.append(ReplaceCollection(table=tables.users, key=(user,), column="framework", value=framework))
        left = number % 2 == 0
        rows.append(PutCells(table=tables.user_organisations, key=(user, "s1"), cells={"isdeleted": left}))
    assert not [error for error in ctx.gateway.apply(rows) if error]


def index(ctx: UserResources, plan: IndexPlan) -> tuple[IndexTally, dict[str, dict[str, str]], list[float]]:
    """What a run says, the hashes it leaves, and how far it was after each page."""
    run, done = IndexRun.begin(ctx, plan), []
    run.work(lambda stand: done.append(stand.done))
    client = ctx.redis.client("users")
    return run.tally, {key: client.hgetall(key) for key in sorted(client.scan_iter("*"))}, done


def test_the_same_hashes_as_from_the_embedded_store(
    real: UserResources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", 40)
    seed(real)
    tally, hashes, done = index(real, ALL)
    assert (tally.users, tally.written) == (USERS, USERS)
    assert len(done) >= math.ceil(USERS / 40)
    assert done == sorted(done)
    assert done[-1] == 1.0
    cached = {key: fields for key, fields in hashes.items() if key.startswith("user:")}
    assert cached["user:u001"] == {
        "firstname": "Name 1",
        "rootorgid": "root",
        "orgname": "Karnataka",
        "usersignintype": "Validated",
        "board": "CBSE",
        "medium": '["Hindi","Urdu"]',
        "district": "Mysuru",
        "schoolname": r"\[RPM\] High",
        "usertype": "teacher",
        "usersubtype": "",
        "profileusertypes": r'\[{"type":"teacher"}\]',
    }
    assert "schoolname" not in cached["user:u002"]
    real.redis.client("users").flushdb()
    small = UserResources(
        settings_of({"LERN_REDIS__URL": real.settings.redis.url, "LERN_STORE": f"sqlite:{tmp_path / 'store.sqlite'}"}),
        Celery("test"),
    )
    seed(small)
    _, from_file, _ = index(small, ALL)
    assert {key: fields for key, fields in from_file.items() if key.startswith("user:")} == cached
    small.gateway.close()
    small.redis.close()


def test_a_refresh_on_real_servers(real: UserResources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 40)
    seed(real)
    client = real.redis.client("users")
    for number in range(60):
        client.hset(f"user:gone-{number}", mapping={"usersignintype": "Validated"})
    client.hset("user:guest", mapping={"usersignintype": "Anonymous"})
    client.hset("user:u001", "state", "Goa")
    tally, hashes, _ = index(real, IndexPlan(since=None, refresh=True, anonymous=False))
    assert (tally.written, tally.removed) == (USERS, 60)
    assert "state" not in hashes["user:u001"]
    users = {key for key in hashes if key.startswith("user:")}
    assert users == {"user:guest", *(f"user:u{number:03d}" for number in range(USERS))}
