"""The tables in one SQLite file, for the demo and quick tests: a row per cell with its write timestamp.

Conflicts are decided as Cassandra decides them: the later timestamp wins, a deletion wins a tie, else the greater
value. See docs/architecture.md, "Stores".
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lern_tasks.errors import DependencyDown, InvalidEvent, LernError
from lern_tasks.stores.gateway import Key, Mutation, Row
from lern_tasks.stores.sqlite_cells import Cell, cells_of, key_text, read_rows
from lern_tasks.stores.tables import Table

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cells (
  name TEXT NOT NULL, key TEXT NOT NULL, col TEXT NOT NULL, entry TEXT NOT NULL, value, ts INTEGER NOT NULL,
  PRIMARY KEY (name, key, col, entry)
) WITHOUT ROWID
"""

_PUT = """
INSERT INTO cells (name, key, col, entry, value, ts) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (name, key, col, entry) DO UPDATE SET value = excluded.value, ts = excluded.ts
WHERE excluded.ts > ts
  OR (excluded.ts = ts AND value IS NOT NULL AND (excluded.value IS NULL OR excluded.value > value))
"""

_BUSY = 30.0
"""Seconds to wait for another process's transaction, which takes milliseconds."""

_KEYS_AT_ONCE = 500
"""Keys of one statement: below SQLite's limit of variables."""


class SqliteGateway:
    """A `Gateway` on the file `path`; several processes and threads may write at once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._local = threading.local()

    def get_many(self, table: Table, keys: Sequence[Key], columns: Sequence[str]) -> dict[Key, Row | None | LernError]:
        """See `Gateway.get_many`."""
        found: dict[Key, Row | None | LernError] = {}
        texts: dict[str, Key] = {}
        for key in keys:
            error = _check(table, key)
            if error is None:
                texts[key_text(key)] = key
                found[key] = None
            else:
                found[key] = error
        try:
            for text, row in read_rows(table, self._cells_of_keys(table, list(texts)), columns):
                found[texts[text]] = row
        except sqlite3.Error as error:
            return dict.fromkeys(keys, _down(error))
        return found

    def select_many(
        self, table: Table, prefixes: Sequence[Key], columns: Sequence[str]
    ) -> dict[Key, list[Row] | LernError]:
        """See `Gateway.select_many`."""
        found: dict[Key, list[Row] | LernError] = {}
        for prefix in prefixes:
            error = _check(table, prefix)
            if error is not None:
                found[prefix] = error
                continue
            try:
                cells = self._cells_under(table, prefix)
            except sqlite3.Error as broken:
                found[prefix] = _down(broken)
            else:
                found[prefix] = [row for _, row in read_rows(table, cells, columns)]
        return found

    def apply(self, mutations: Sequence[Mutation]) -> list[LernError | None]:
        """See `Gateway.apply`: one transaction for all."""
        now = time.time_ns() // 1000
        results: list[LernError | None] = []
        cells: list[Cell] = []
        for mutation in mutations:
            try:
                error = _check(mutation.table, mutation.key)
                cells += [] if error else cells_of(mutation, mutation.timestamp or now)
            except (UnicodeEncodeError, TypeError, KeyError, AttributeError) as bad:
                error = InvalidEvent(
                    f"a value does not fit a column of {mutation.table.full_name}: {type(bad).__name__}"
                )
            results.append(error)
        try:
            with self._transaction() as connection:
                connection.executemany(_PUT, cells)
        except sqlite3.Error as broken:
            return [error or _down(broken) for error in results]
        return results

    def create(self, tables: Sequence[Table]) -> None:
        """Create the file; every table has the same layout."""
        del tables
        with self._transaction():
            pass

    def ping(self) -> None:
        """See `Gateway.ping`."""
        try:
            self._connection().execute("SELECT 1").fetchone()
        except sqlite3.Error as error:
            raise _down(error) from error

    def close(self) -> None:
        """Close this thread's connection."""
        opened = getattr(self._local, "opened", None)
        if opened is not None:
            self._local.opened = None
            opened[1].close()

    def _cells_of_keys(self, table: Table, texts: Sequence[str]) -> Iterator[tuple[str, str, str, object, int]]:
        for start in range(0, len(texts), _KEYS_AT_ONCE):
            part = texts[start : start + _KEYS_AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, col, entry, value, ts FROM cells WHERE name = ? AND key IN ({marks}) ORDER BY key"  # noqa: S608 (question marks only)
            yield from self._connection().execute(query, (table.full_name, *part)).fetchall()

    def _cells_under(self, table: Table, prefix: Key) -> list[tuple[str, str, str, object, int]]:
        text = key_text(prefix)
        # A longer key goes on with a comma; the character after it in order bounds the range.
        query = """
            SELECT key, col, entry, value, ts FROM cells
            WHERE name = ? AND (key = ? OR (key >= ? AND key < ?)) ORDER BY key
        """
        return self._connection().execute(query, (table.full_name, text, f"{text},", f"{text}-")).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        opened: tuple[int, sqlite3.Connection] | None = getattr(self._local, "opened", None)
        if opened is None or opened[0] != os.getpid():
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=_BUSY)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_SCHEMA)
            opened = (os.getpid(), connection)
            self._local.opened = opened
        return opened[1]


def _check(table: Table, key: Key) -> InvalidEvent | None:
    """Refuse what Cassandra refuses."""
    for column, value in zip(table.partition, key, strict=False):
        if not value:
            return InvalidEvent(f"{column} is empty; it is part of the key of {table.full_name}", column)
    try:
        key_text(key).encode()
        for value in key:
            value.encode()
    except UnicodeEncodeError:
        return InvalidEvent(f"a key of {table.full_name} is not valid text; send it in UTF-8")
    return None


def _down(error: sqlite3.Error) -> DependencyDown:
    return DependencyDown("cassandra", f"the SQLite store does not answer: {error}")
