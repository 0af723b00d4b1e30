"""Cassandra: reachable, with the tables as the jobs need them, and with a clock like the others'."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from functools import partial

from lern_tasks.catalogue import ROWS, EventJob
from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, Level, ok, problem
from lern_tasks.cli.doctor.redis import clock_finding
from lern_tasks.cli.doctor.used import used
from lern_tasks.cli.effective import masked
from lern_tasks.errors import LernError
from lern_tasks.settings import Settings
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.table_names import for_job, users_of_tables

_WHERE = "LERN_CASSANDRA__HOSTS, LERN_CASSANDRA__USERNAME and LERN_CASSANDRA__PASSWORD"

_NOW = "SELECT toTimestamp(now()) AS now FROM system.local"

_AWAY = "nothing can be read or written: events wait"
_DIFFERS = "the jobs do not touch a table that differs: their events wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableUse:
    """A table, by whom it is wanted, and what happens without it."""

    check: str
    level: Level
    table: Table
    jobs: Jobs
    why: str


def checks(settings: Settings, jobs: Jobs) -> list[Check]:
    """The schema and the clock, each on its own."""
    if settings.store.startswith("sqlite:"):
        return [Check(name="cassandra", look=_not_used, why="")]
    return [
        Check(name="cassandra", look=partial(_schema, jobs), why=_AWAY),
        Check(name="clock cassandra", look=_clock, why=_AWAY),
    ]


def wanted(settings: Settings, jobs: Jobs) -> list[TableUse]:
    """The tables of `jobs`, and those of what goes on beside them."""
    found = [
        TableUse(check="schema", level="problem", table=table, jobs=users, why=_DIFFERS)
        for table, users in users_of_tables(settings, jobs).items()
    ]
    return [*found, *(use for job in jobs for use in _beside(settings, job))]


def _beside(settings: Settings, job: EventJob) -> Iterator[TableUse]:
    names = for_job(settings, job)
    for beside in ROWS[job].beside:
        if used(settings, job, beside.unless):
            for name in beside.tables:
                table: Table = getattr(names, name)
                yield TableUse(check=beside.check, level="warning", table=table, jobs=(job,), why=beside.why)


def _not_used(settings: Settings) -> Iterator[Finding]:
    yield ok("cassandra", f"not used: {settings.store}")


def _schema(jobs: Jobs, settings: Settings) -> Iterator[Finding]:
    from lern_tasks.storage.cassandra.gateway import CassandraGateway  # noqa: PLC0415 (the driver takes 0.3 s to import)

    gateway, differs = CassandraGateway(settings), set[str]()
    tables = wanted(settings, jobs)
    try:
        gateway.ping()
        yield ok("cassandra", f"{settings.cassandra.hosts} answers")
        for entry in tables:
            for difference in gateway.schema_differences([entry.table]):
                differs.add(entry.check)
                yield _finding(entry, difference)
    except LernError as error:
        yield problem("cassandra", masked(str(error)), f"start it, or correct {_WHERE}")
        return
    finally:
        gateway.close()
    for check in dict.fromkeys(entry.check for entry in tables if entry.check not in differs):
        yield ok(check, "tables and columns are as needed")


def _finding(entry: TableUse, difference: str) -> Finding:
    result, _, to_do = difference.partition(": ")
    return Finding(check=entry.check, level=entry.level, result=result, why=entry.why, to_do=to_do, jobs=entry.jobs)


def _clock(settings: Settings) -> Iterator[Finding]:
    from lern_tasks.storage.cassandra import session as cassandra_session  # noqa: PLC0415 (as above)

    try:
        session = cassandra_session.connect(settings.cassandra)
    except LernError:
        # Told by the check of the schema.
        return
    try:
        before = time.time()
        (row,) = session.execute(_NOW, timeout=settings.cassandra.timeout)
        now = (before + time.time()) / 2
        yield clock_finding("clock cassandra", row["now"].replace(tzinfo=UTC).timestamp() - now)
    finally:
        session.cluster.shutdown()
