"""`lern index-users` on a full table, beside the same reads and hashes with no rules around them."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from benchmarks.index_statements import run_statements
from benchmarks.result import Result
from lern_tasks.settings import Settings
from lern_tasks.stores import open_gateway
from lern_tasks.stores.gateway import Gateway, Mutation, PutCells, ReplaceCollection
from lern_tasks.stores.job_tables import JobTables, for_job
from tests.flow.system import settings_of
from tests.stack.redis import RedisServer
from tests.stack.running import Stack

USERS = int(os.environ.get("LERN_BENCH_USERS", "300000"))
SCHOOLS = 30_000
"""More than are remembered in the process, so that what is forgotten is measured too."""

AT_ONCE = 2_000


def measure(stack: Stack, directory: Path) -> list[Result]:
    redis = RedisServer(directory / "redis")
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
        _seed(settings_of(env))
        seconds, memory, indexed = _index(env, "--since", "full")
        # Both write hashes that are there: a second run, as every night's is.
        again, _, _ = _index(env, "--refresh")
        ceiling = run_statements((host, int(port)), keyspace, redis.address, memberships=True)
        bare = run_statements((host, int(port)), keyspace, redis.address, memberships=False)
    finally:
        redis.stop()
    return [
        Result(
            what=f"index-users --since full, {indexed:,} users",
            measured=indexed / seconds,
            ceiling=USERS / ceiling,
            unit="users/s",
            target="half of the same reads and hashes without rules",
        ),
        Result(
            what="the same beside scan and hashes alone, without memberships",
            measured=indexed / seconds,
            ceiling=USERS / bare,
            unit="users/s",
            target="",
        ),
        Result(what="index-users --refresh", measured=indexed / again, unit="users/s", target=""),
        Result(
            what="index-users, peak memory", measured=memory, unit="MiB", target="under 200 MiB, whatever the number"
        ),
    ]


def _index(env: dict[str, str], *arguments: str) -> tuple[float, float, int]:
    """Run the command in a process of its own: seconds that it worked, MiB at its peak, users written."""
    command = [sys.executable, "-m", "lern_tasks.cli", "index-users", *arguments, "--json"]
    with subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    found = json.loads(output)
    assert found["written"] == USERS
    return found["seconds"], usage.ru_maxrss / 1024, found["written"]


def _seed(settings: Settings) -> None:
    gateway, tables = open_gateway(settings), for_job(settings, "user_cache_updater")
    gateway.create(
        [tables.users, tables.user_organisations, tables.organisations, tables.locations, tables.system_settings]
    )
    started, waiting = time.monotonic(), []
    for mutation in _rows(tables):
        waiting.append(mutation)
        if len(waiting) >= AT_ONCE:
            _apply(gateway, waiting)
            waiting = []
    _apply(gateway, waiting)
    gateway.close()
    print(f"{USERS:,} users stored in {time.monotonic() - started:.0f} s", file=sys.stderr)


def _apply(gateway: Gateway, mutations: list[Mutation]) -> None:
    assert not [error for error in gateway.apply(mutations) if error]


def _rows(tables: JobTables) -> Iterator[Mutation]:
    yield PutCells(table=tables.system_settings, key=("custodianOrgId",), cells={"value": "custodian"})
    yield PutCells(table=tables.organisations, key=("root",), cells={"orgname": "Karnataka", "organisationtype": 5})
    for number in range(SCHOOLS):
        cells = {
            "orgname": f"Government High School {number}",
            "externalid": str(29_000_000 + number),
            "organisationtype": 2,
        }
        yield PutCells(table=tables.organisations, key=(f"school-{number}",), cells=cells)
    for kind in ("state", "district", "block", "cluster"):
        for number in range(100):
            cells = {"name": f"{kind} {number}", "type": kind}
            yield PutCells(table=tables.locations, key=(f"{kind}-{number}",), cells=cells)
    for number in range(USERS):
        yield from _user(tables, number)


def _user(tables: JobTables, number: int) -> Iterator[Mutation]:
    user = f"{number:08d}-91c0-4a5e-b7f6-1d2e3f405162"
    places = [{"type": kind, "id": f"{kind}-{number % 100}"} for kind in ("state", "district", "block", "cluster")]
    cells = {
        "userid": user,
        "firstname": f"Learner {number}",
        "lastname": "Rao",
        "email": "q0JxVh0Zk8m1N2b3" * 6,
        "phone": "Zk8m1N2b3q0JxVh0" * 6,
        "rootorgid": "root" if number % 3 else "custodian",
        "updateddate": "2024-05-01 10:00:00:000+0000",
        "profilelocation": json.dumps(places),
        "profileusertypes": json.dumps([{"type": "teacher"}, {"type": "administrator", "subType": "hm"}]),
    }
    framework = {
        "id": ["k-12"],
        "board": ["CBSE"],
        "medium": ["English", "Kannada"],
        "gradeLevel": ["Class 1", "Class 2"],
    }
    yield PutCells(table=tables.users, key=(user,), cells=cells)
    yield ReplaceCollection(table=tables.users, key=(user,), column="framework", value=framework)
    school = f"school-{number * 7919 % SCHOOLS}"
    yield PutCells(table=tables.user_organisations, key=(user, school), cells={"isdeleted": False})
