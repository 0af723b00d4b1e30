"""CQL text from a table's declaration, and what the driver's errors mean to us.

See docs/architecture.md, "Stores".

Writes are UPDATE, never INSERT: it leaves no row marker, so that a row is exactly its cells and the write times of the
cells decide alone. Plain CQL 3: no lightweight transactions, no SASI, no materialised views.
"""

import re
import struct
from collections.abc import Mapping, Sequence
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

from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, SchemaMismatch, TransientError
from lern_tasks.storage.cassandra.ddl import full_name
from lern_tasks.storage.cassandra.values import bound
from lern_tasks.storage.gateway import Delete, Mutation, PutCells, PutMap, ReplaceCollection
from lern_tasks.storage.table import Table

PING = "SELECT release_version FROM system.local"

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

_SCANNED = "scanned_token"
"""The name under which a scan reads tokens; no column has it."""


def select(table: Table, columns: Sequence[str], key_columns: int) -> str:
    """The rows under the first `key_columns` columns of the key: all of them for one row."""
    # Without a column to read, the question is whether there is a row.
    names = ", ".join(columns or table.partition[:1])
    return f"SELECT {names} FROM {full_name(table)} WHERE {_where(table.prefix_columns(key_columns))}"  # noqa: S608 (declared names)


def scan(table: Table, columns: Sequence[str], partition: Sequence[str], *, resumed: bool) -> str:
    """All rows in the order of their tokens, or those behind a token; `partition` is the key of this installation."""
    token = f"token({', '.join(partition)})"
    text = f"SELECT {', '.join((f'{token} AS {_SCANNED}', *columns))} FROM {full_name(table)}"  # noqa: S608 (declared names)
    return f"{text} WHERE {token} > ?" if resumed else text


def select_page(table: Table, columns: Sequence[str], *, resumed: bool) -> str:
    """Some rows under all of the key but the last column, in the order of that column, from the start or behind one."""
    last = table.key[-1]
    where = _where(table.prefix_columns(len(table.key) - 1)) + (f" AND {last} > ?" if resumed else "")
    names = ", ".join(dict.fromkeys((*columns, last)))
    return f"SELECT {names} FROM {full_name(table)} WHERE {where} ORDER BY {last} ASC LIMIT ?"  # noqa: S608 (declared names)


def token_of(found: Mapping[str, Any]) -> int:
    """The token of a row that a scan read."""
    token: int = found[_SCANNED]
    return token


def mutation(change: Mutation, timestamp: int) -> tuple[str, list[Any]] | None:
    """The statement of `change`, written at `timestamp` (microseconds), with its values; None: nothing to change."""
    table = change.table
    if isinstance(change, Delete):
        return f"DELETE FROM {full_name(table)} USING TIMESTAMP ? WHERE {_where(table.key)}", [timestamp, *change.key]  # noqa: S608 (declared names)
    assignments, values = _assignments(change)
    if not assignments:
        return None
    text = f"UPDATE {full_name(table)} USING TIMESTAMP ? SET {', '.join(assignments)} WHERE {_where(table.key)}"  # noqa: S608 (declared names)
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
        names = sorted(change.cells)
        return [f"{name} = ?" for name in names], [bound(change.table, name, change.cells[name]) for name in names]
    if isinstance(change, PutMap):
        return (
            ([f"{change.column} = {change.column} + ?"], [bound(change.table, change.column, dict(change.entries))])
            if change.entries
            else ([], [])
        )
    assert not isinstance(change, Delete)  # noqa: S101 (for mypy)
    return [f"{change.column} = ?"], [bound(change.table, change.column, change.value)]


def _where(columns: Sequence[str]) -> str:
    return " AND ".join(f"{column} = ?" for column in columns)


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
