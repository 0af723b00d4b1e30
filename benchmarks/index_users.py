"""`lern index-users` on a full table, beside the same reads and hashes with no rules around them."""

import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

from cassandra.cluster import Cluster
from cassandra.concurrent import execute_concurrent_with_args

from benchmarks.index_rows import USER_COLUMNS, locations, memberships, organisations, users
from benchmarks.index_statements import run_statements
from benchmarks.result import Result
from lern_tasks.settings import Settings
from lern_tasks.storage import open_gateway
from lern_tasks.sunbird.table_names import for_job
from tests.harness.processes import settings_of
from tests.servers.redis import RedisServer
from tests.servers.running import Stack

USERS = int(os.environ.get("LERN_BENCH_USERS", "20000"))

AT_ONCE = 128
"""Rows on their way to Cassandra, to be there sooner."""


def measure(stack: Stack, directory: Path) -> list[Result]:
    redis = RedisServer(directory / "redis", appendfsync="always")
    redis.start()
    host, _, port = stack.cassandra.partition(":")
    keyspace = f"bench_{uuid.uuid4().hex[:8]}"
    env = {
        "LERN_CASSANDRA__HOSTS": host,
        "LERN_CASSANDRA__PORT": port,
        "LERN_REDIS__URL": redis.address,
        "LERN_USER_CACHE_UPDATER__SUNBIRD_CASSANDRA_KEYSPACE": keyspace,
    }
    try:
        _seed(settings_of(env), (host, int(port)))
        # Before and after: whatever else the machine does changes within the minutes that each takes.
        ceiling = run_statements((host, int(port)), keyspace, redis.address)
        seconds, memory, indexed = _index(env)
        ceiling = (ceiling + run_statements((host, int(port)), keyspace, redis.address)) / 2
    finally:
        redis.stop()
    return [
        Result(
            what=f"index-users --since full, {indexed:,} users",
            measured=indexed / seconds,
            ceiling=USERS / ceiling,
            unit="users/s",
            target="at least 60 % of the same reads and hashes without rules",
        ),
        Result(
            what="index-users, memory at its peak", measured=memory, unit="MiB", target="under 200 MiB for any number"
        ),
    ]


def _index(env: dict[str, str]) -> tuple[float, float, int]:
    """Run the command in a process of its own: seconds that it worked, MiB at its peak, users written."""
    command = [sys.executable, "-m", "lern_tasks.cli", "index-users", "--since", "full", "--json"]
    with subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    found = json.loads(output)
    assert found["written"] == USERS
    return found["seconds"], usage.ru_maxrss / 1024, found["written"]


def _seed(settings: Settings, node: tuple[str, int]) -> None:
    gateway, tables = open_gateway(settings), for_job(settings, "user_cache_updater")
    gateway.create(
        [tables.users, tables.user_organisations, tables.organisations, tables.locations, tables.system_settings]
    )
    gateway.close()
    cluster = Cluster([node[0]], port=node[1], protocol_version=4)
    session = cluster.connect(tables.users.keyspace)
    started = time.monotonic()
    for table, columns, rows in (
        ("system_settings", "id, value", [("custodianOrgId", "custodian")]),
        ("organisation", "id, orgname, externalid, organisationtype", organisations()),
        ("location", "id, name, type", locations()),
        ("user", USER_COLUMNS, users(USERS)),
        ("user_organisation", "userid, organisationid, isdeleted", memberships(USERS)),
    ):
        places = ", ".join("?" for _ in columns.split(", "))
        insert = session.prepare(f"INSERT INTO {table} ({columns}) VALUES ({places})")
        for answer in execute_concurrent_with_args(session, insert, rows, AT_ONCE, results_generator=True):
            assert answer.success
    cluster.shutdown()
    print(f"{USERS:,} users stored in {time.monotonic() - started:.0f} s", file=sys.stderr)
