"""Cassandra: reachable, with the tables as the jobs need them, and with a clock like the others'."""

import time
from collections.abc import Iterator
from datetime import UTC

from lern_tasks.cli.checks.finding import Check, Finding, ok, problem
from lern_tasks.cli.checks.redis import clock_finding
from lern_tasks.cli.effective import masked
from lern_tasks.errors import LernError
from lern_tasks.settings import Settings

_WHERE = "LERN_CASSANDRA__HOSTS, LERN_CASSANDRA__USERNAME and LERN_CASSANDRA__PASSWORD"

_NOW = "SELECT toTimestamp(now()) AS now FROM system.local"


def checks() -> list[tuple[str, Check]]:
    """The schema and the clock, each on its own."""
    return [("cassandra", _schema), ("clock cassandra", _clock)]


def _schema(settings: Settings) -> Iterator[Finding]:
    if settings.store.startswith("sqlite:"):
        yield ok("cassandra", f"not used: {settings.store}")
        return
    from lern_tasks.stores.cassandra import CassandraGateway  # noqa: PLC0415 (the driver takes 0.3 s to import)

    gateway = CassandraGateway(settings)
    try:
        found = gateway.schema_differences()
    except LernError as error:
        yield problem("cassandra", masked(str(error)), f"start it, or correct {_WHERE}")
        return
    finally:
        gateway.close()
    yield ok("cassandra", f"{settings.cassandra.hosts} answers")
    for difference in found:
        result, _, to_do = difference.partition(": ")
        yield problem("schema", result, to_do)
    if not found:
        yield ok("schema", "tables and columns are as the jobs need them")


def _clock(settings: Settings) -> Iterator[Finding]:
    if settings.store.startswith("sqlite:"):
        return
    from lern_tasks.stores import cassandra_session  # noqa: PLC0415 (as above)

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
