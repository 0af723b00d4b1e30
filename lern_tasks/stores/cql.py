"""CQL text from a table's declaration, the only place that has any, and what its rows and errors mean to us.

See docs/architecture.md, "Stores".

Writes are UPDATE, never INSERT: it leaves no row marker, so that a row is exactly its cells and the write times of the
cells decide alone. Plain CQL 3: no lightweight transactions, no SASI, no materialised views.
"""

import re
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cassandra import (
    AuthenticationFailed,
    DriverException,
    InvalidRequest,
    Unauthorized,
    Unavailable,
    UnresolvableContactPoints,
)
from cassandra.cluster import NoHostAvailable, Session
from cassandra.connection import ConnectionException
from cassandra.protocol import ErrorMessage, IsBootstrappingErrorMessage
from cassandra.query import BatchStatement, BatchType, PreparedStatement

from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, SchemaMismatch, SettingsError, TransientError
from lern_tasks.stores.gateway import Delete, Mutation, PutCells, PutMap, ReplaceCollection, Row
from lern_tasks.stores.tables import Table

PING = "SELECT release_version FROM system.local"

COLUMNS_OF_KEYSPACE = (
    "SELECT table_name, column_name, type, kind, position FROM system_schema.columns WHERE keyspace_name = ?"
)
"""What the schema check reads."""

DRIVER_ERRORS = (DriverException, NoHostAvailable, ConnectionException, ErrorMessage)
"""Everything that the driver raises on purpose: it has no common base."""

_AWAY = (
    NoHostAvailable,
    ConnectionException,
    Unavailable,
    AuthenticationFailed,
    Unauthorized,
    UnresolvableContactPoints,
    IsBootstrappingErrorMessage,
)
_NOT_THERE = re.compile("unconfigured table|does not exist|undefined column", re.IGNORECASE)

UNFIT = (TypeError, ValueError, AttributeError, OverflowError, struct.error)
"""What the driver raises for a value that does not fit its column; UnicodeEncodeError is a ValueError."""

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
    """The statement of `change`, written at `timestamp` (microseconds), with its values; None: nothing to change."""
    table = change.table
    if isinstance(change, Delete):
        return f"DELETE FROM {_full_name(table)} USING TIMESTAMP ? WHERE {_where(table.key)}", [timestamp, *change.key]  # noqa: S608 (declared names)
    assignments, values = _assignments(change)
    if not assignments:
        return None
    text = f"UPDATE {_full_name(table)} USING TIMESTAMP ? SET {', '.join(assignments)} WHERE {_where(table.key)}"  # noqa: S608 (declared names)
    return text, [timestamp, *values, *change.key]


def is_list_write(change: Mutation) -> bool:
    """Whether `change` replaces a list. Done twice with one timestamp, the list would hold each element twice."""
    if isinstance(change, ReplaceCollection):
        return _is_list(change.table, change.column)
    return isinstance(change, PutCells) and any(_is_list(change.table, column) for column in change.cells)


def _is_list(table: Table, column: str) -> bool:
    return table.columns[column].startswith("list<")


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


def row_of(found: Mapping[str, Any], columns: Sequence[str]) -> Row:
    """The asked columns of a row as `Gateway` gives them."""
    values = {column: _value(found[column]) for column in columns}
    return {column: None if value in ({}, []) else value for column, value in values.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if isinstance(value, Mapping):
        return {name: _value(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_value(entry) for entry in value]
    return value


def lern_error(error: BaseException) -> LernError:
    """What `error` of the driver means for a record. Anything that the driver does not raise on purpose is raised."""
    if isinstance(error, UNFIT):
        return InvalidEvent(
            f"a value does not fit its column: {type(error).__name__}; send the type that the table has"
        )
    if isinstance(error, InvalidRequest):
        if _NOT_THERE.search(str(error)):
            return SchemaMismatch(f"cassandra: {error}")
        return InvalidEvent(f"cassandra refuses a value of the event: {error}")
    if isinstance(error, NoHostAvailable):
        # A node that answers with an error is not away: this statement was too much for it.
        answers = [answer for answer in error.errors.values() if isinstance(answer, ErrorMessage)]
        answers = [answer for answer in answers if not isinstance(answer, IsBootstrappingErrorMessage)]
        if answers:
            return TransientError(f"cassandra: {answers[0]}", dependency="cassandra")
    if isinstance(error, _AWAY):
        return DependencyDown("cassandra", f"cassandra does not answer: {error}")
    if isinstance(error, DRIVER_ERRORS):
        return TransientError(f"cassandra: {type(error).__name__}: {error}", dependency="cassandra")
    raise error


def prepare(session: Session, text: str) -> PreparedStatement:
    """Raises SchemaMismatch when the tables have no such columns, or another LernError."""
    try:
        return session.prepare(text)
    except InvalidRequest as error:
        raise SchemaMismatch(
            f"cassandra cannot prepare {text!r}: {error}; compare the table with the schema"
        ) from error
    except DRIVER_ERRORS as error:
        raise lern_error(error) from error


def together(statements: Sequence[Any]) -> Any:
    """One statement or batch of statements of one partition of one table.

    The server's limit on the size of batches is not for such a batch: it is one mutation.
    """
    if len(statements) == 1:
        return statements[0]
    batch = BatchStatement(BatchType.UNLOGGED)
    for statement in statements:
        batch.add(statement)
        batch.retry_policy = batch.retry_policy or statement.retry_policy
    return batch
