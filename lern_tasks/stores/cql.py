"""CQL text from a table's declaration: the only place that has any. See docs/architecture.md, "Stores".

Writes are UPDATE, never INSERT: it leaves no row marker, so that a row is exactly its cells and the write times of the
cells decide alone. Plain CQL 3: no lightweight transactions, no SASI, no materialised views.
"""

import re
from collections.abc import Sequence
from typing import Any

from lern_tasks.errors import SettingsError
from lern_tasks.stores.gateway import Delete, Mutation, PutCells, PutMap
from lern_tasks.stores.tables import Table

PING = "SELECT release_version FROM system.local"

COLUMNS_OF_KEYSPACE = (
    "SELECT table_name, column_name, type, kind, position FROM system_schema.columns WHERE keyspace_name = %s"
)
"""What the schema check reads; for an unprepared statement."""

_NAME = re.compile(r"[a-z0-9_]{1,48}")
"""What Cassandra takes for the name of a keyspace or a table."""


def stored_name(name: str) -> str:
    """The name as Cassandra keeps it: in lower case, as the platform's unquoted scripts made it.

    Raises SettingsError for what cannot be a name.
    """
    stored = name.lower()
    if not _NAME.fullmatch(stored):
        raise SettingsError(
            f"{name!r} cannot be the name of a Cassandra keyspace or table: use at most 48 letters, digits and _"
        )
    return stored


def create_keyspace(table: Table) -> str:
    """For development and tests: one copy of everything, on one node."""
    replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    return f'CREATE KEYSPACE IF NOT EXISTS "{stored_name(table.keyspace)}" WITH replication = {replication}'


def create_table(table: Table) -> str:
    """For development and tests: the columns that the jobs use."""
    columns = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
    key = ", ".join((f"({', '.join(table.partition)})", *table.clustering))
    return f"CREATE TABLE IF NOT EXISTS {_full_name(table)} ({columns}, PRIMARY KEY ({key}))"


def select(table: Table, columns: Sequence[str], key_columns: int) -> str:
    """The rows under the first `key_columns` columns of the key: all of them for one row."""
    # Without a column to read, the question is whether there is a row.
    names = ", ".join(columns or table.partition[:1])
    return f"SELECT {names} FROM {_full_name(table)} WHERE {_where(table.key[:key_columns])}"  # noqa: S608 (declared names)


def mutation(change: Mutation, timestamp: int) -> tuple[str, list[Any]] | None:
    """The statement of `change`, written at `timestamp` (microseconds), and its values; None when it changes nothing."""
    table = change.table
    if isinstance(change, Delete):
        return f"DELETE FROM {_full_name(table)} USING TIMESTAMP ? WHERE {_where(table.key)}", [timestamp, *change.key]  # noqa: S608 (declared names)
    assignments, values = _assignments(change)
    if not assignments:
        return None
    text = f"UPDATE {_full_name(table)} USING TIMESTAMP ? SET {', '.join(assignments)} WHERE {_where(table.key)}"
    return text, [timestamp, *values, *change.key]


def _assignments(change: Mutation) -> tuple[list[str], list[Any]]:
    if isinstance(change, PutCells):
        # In one order, so that the same cells are the same statement.
        return [f"{column} = ?" for column in sorted(change.cells)], [change.cells[c] for c in sorted(change.cells)]
    if isinstance(change, PutMap):
        return ([f"{change.column} = {change.column} + ?"], [dict(change.entries)]) if change.entries else ([], [])
    assert not isinstance(change, Delete)  # noqa: S101 (for mypy)
    return [f"{change.column} = ?"], [change.value]


def _where(columns: Sequence[str]) -> str:
    return " AND ".join(f"{column} = ?" for column in columns)


def _full_name(table: Table) -> str:
    return f'"{stored_name(table.keyspace)}"."{stored_name(table.name)}"'
