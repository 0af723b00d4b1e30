"""The tables that are ours and not the platform's: whether they are there, and making them. See docs/operations.md."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cassandra.cluster import Session

from lern_tasks.errors import LernError
from lern_tasks.settings import Settings
from lern_tasks.storage.cassandra import ddl, schema_check, statements
from lern_tasks.storage.cassandra.session import Call, connect
from lern_tasks.storage.table import Table

_CREATE_TIMEOUT = 60.0
"""Seconds for one CREATE: every node must agree."""


@contextmanager
def opened(settings: Settings) -> Iterator["OwnTables"]:
    """The tables on the installation's cluster. Raises DependencyDown, SettingsError."""
    session = connect(settings.cassandra)
    try:
        yield OwnTables(session, settings.cassandra.timeout)
    finally:
        session.cluster.shutdown()


class OwnTables:
    """Looks at tables of ours and makes them. All methods raise LernError when Cassandra does not answer."""

    def __init__(self, session: Session, timeout: float) -> None:
        self._session = session
        self._timeout = timeout

    def differences(self, table: Table) -> list[str]:
        """What keeps the jobs from working on the table, in plain words; none when it is as declared."""
        keyspace = ddl.stored_name(table.keyspace)
        columns = self._rows(ddl.COLUMNS_OF_KEYSPACE, keyspace)
        return schema_check.differences([table], schema_check.found_schema(keyspace, columns, []))

    def is_there(self, table: Table) -> bool:
        """Whether there is a table of that name."""
        rows = self._rows(ddl.COLUMNS_OF_KEYSPACE, ddl.stored_name(table.keyspace))
        return ddl.stored_name(table.name) in {row["table_name"] for row in rows}

    def replication(self, keyspace: str) -> Mapping[str, str] | None:
        """How a keyspace is copied to nodes; None when there is no such keyspace."""
        rows = self._rows(ddl.REPLICATION_OF_KEYSPACE, ddl.stored_name(keyspace))
        return dict(rows[0]["replication"]) if rows else None

    def create(self, table: Table, replication: Mapping[str, str] | None) -> None:
        """Make the table, and with `replication` its keyspace; what is there is left as it is."""
        if replication is not None:
            self._run(ddl.create_keyspace(table.keyspace, replication), _CREATE_TIMEOUT)
        self._run(ddl.create_table(table), _CREATE_TIMEOUT)

    def _rows(self, text: str, keyspace: str) -> list[dict[str, Any]]:
        return self._run(statements.prepare(self._session, text).bind([keyspace]), self._timeout)

    def _run(self, statement: Any, timeout: float) -> list[dict[str, Any]]:
        rows = Call(self._session, statement, timeout).result()
        if isinstance(rows, LernError):
            raise rows
        return rows
