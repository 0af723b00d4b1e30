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
from typing import Any

from lern_tasks.errors import DependencyDown, InvalidEvent, LernError
from lern_tasks.storage import column_types
from lern_tasks.storage.gateway import BATCH_SIZE, Key, Mutation, Page, Row
from lern_tasks.storage.sqlite.cells import Cell, cells_of, end_of, key_of, key_text, read_rows
from lern_tasks.storage.table import Table

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

_BEHIND_ALL = "\\"
"""Behind the text of every key: the character after the bracket with which each begins."""


class SqliteGateway:
    """A `Gateway` on the file `path`; several processes and threads may write at once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connections: dict[tuple[int, int], sqlite3.Connection] = {}
        self._clock = threading.Lock()
        self._last = 0

    def get_many(self, table: Table, keys: Sequence[Key], columns: Sequence[str]) -> dict[Key, Row | None | LernError]:
        """See `Gateway.get_many`."""
        found: dict[Key, Row | None | LernError] = {}
        texts: dict[str, Key] = {}
        for key in keys:
            try:
                column_types.check_key(table, key, whole=True)
                texts[key_text(key)] = key
                found[key] = None
            except InvalidEvent as error:
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
            try:
                column_types.check_key(table, prefix, whole=False)
                cells = self._cells_under(table, prefix)
            except InvalidEvent as error:
                found[prefix] = error
            except sqlite3.Error as broken:
                found[prefix] = _down(broken)
            else:
                found[prefix] = [row for _, row in read_rows(table, cells, columns)]
        return found

    def scan(self, table: Table, columns: Sequence[str], *, after: str | None, limit: int) -> Page:
        """See `Gateway.scan`: in the order of the keys' text; `after` is the text of the last partition."""
        begin = "" if after is None else end_of(after)
        rows, last = self._page(table, columns, begin, _BEHIND_ALL, len(table.partition), limit)
        done = 1.0 if last is None else self._share_before(table, end_of(key_text(last)))
        return Page(rows=rows, after=None if last is None else key_text(last), done=done)

    def select_page(self, table: Table, prefix: Key, columns: Sequence[str], *, after: str | None, limit: int) -> Page:
        """See `Gateway.select_page`: in the order of the keys' text; `after` is the last value of the last column."""
        column_types.check_last(table, prefix)
        text = key_text(prefix)
        begin = text if after is None else end_of(key_text((*prefix, after)))
        rows, last = self._page(table, columns, begin, end_of(text), len(table.key), limit)
        return Page(rows=rows, after=None if last is None else last[-1], done=1.0 if last is None else 0.0)

    def present(self, table: Table) -> frozenset[str]:
        """See `Gateway.present`: a table here has all that is declared."""
        return frozenset(table.columns)

    def apply(self, mutations: Sequence[Mutation], *, batch_size: int = BATCH_SIZE) -> list[LernError | None]:
        """See `Gateway.apply`: one transaction for all, whatever the size of batches."""
        del batch_size
        now = self._moments(len(mutations))
        results: list[LernError | None] = []
        cells: list[Cell] = []
        for index, mutation in enumerate(mutations):
            try:
                column_types.check_change(mutation)
            except InvalidEvent as error:
                results.append(error)
            else:
                results.append(None)
                cells += cells_of(mutation, now + index if mutation.timestamp is None else mutation.timestamp)
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
        """See `Gateway.close`."""
        for owner in list(self._connections):
            # A connection from before a fork is the parent's: SQLite allows no touching it here.
            if owner[0] == os.getpid():
                self._connections.pop(owner).close()

    def _cells_of_keys(self, table: Table, texts: Sequence[str]) -> Iterator[tuple[str, str, str, object, int]]:
        for start in range(0, len(texts), _KEYS_AT_ONCE):
            part = texts[start : start + _KEYS_AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, col, entry, value, ts FROM cells WHERE name = ? AND key IN ({marks}) ORDER BY key"  # noqa: S608 (question marks only)
            yield from self._connection().execute(query, (table.full_name, *part)).fetchall()

    def _cells_under(self, table: Table, prefix: Key) -> list[tuple[str, str, str, object, int]]:
        text = key_text(prefix)
        query = """
            SELECT key, col, entry, value, ts FROM cells
            WHERE name = ? AND (key = ? OR (key >= ? AND key < ?)) ORDER BY key
        """
        return self._query(query, (table.full_name, text, f"{text},", end_of(text)))

    def _page(  # noqa: PLR0917 (a range, and how much of it)
        self, table: Table, columns: Sequence[str], begin: str, end: str, whole: int, limit: int
    ) -> tuple[list[Row], Key | None]:
        """About `limit` rows with keys from `begin` up to `end`, never some of those with the same `whole` columns.

        The second is what the last of them begins with; None when there are no more.
        """
        limit = max(1, limit)
        query = "SELECT DISTINCT key FROM cells WHERE name = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?"
        try:
            keys = self._query(query, (table.full_name, begin, end, limit))
            last = key_of(keys[-1][0])[:whole] if len(keys) == limit else None
            stop = end if last is None else end_of(key_text(last))
            query = "SELECT key, col, entry, value, ts FROM cells WHERE name = ? AND key >= ? AND key < ? ORDER BY key"
            cells = self._query(query, (table.full_name, begin, stop))
        except sqlite3.Error as error:
            raise _down(error) from error
        return [row for _, row in read_rows(table, cells, columns)], last

    def _share_before(self, table: Table, key: str) -> float:
        """How much of the table has keys before `key`."""
        query = "SELECT count(*) FILTER (WHERE key < ?), count(*) FROM cells WHERE name = ?"
        try:
            [(before, whole)] = self._query(query, (key, table.full_name))
        except sqlite3.Error as error:
            raise _down(error) from error
        return before / whole if whole else 1.0

    def _query(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        return self._connection().execute(query, values).fetchall()

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
        owner = (os.getpid(), threading.get_ident())
        connection = self._connections.get(owner)
        if connection is None:
            # Each thread has its own; `close` closes all of them.
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=_BUSY, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.execute(_SCHEMA)
            except sqlite3.Error:
                connection.close()
                raise
            self._connections[owner] = connection
        return connection

    def _moments(self, number: int) -> int:
        """The first of `number` microseconds of now, each later than all before: as the Cassandra driver gives them."""
        with self._clock:
            first = max(time.time_ns() // 1000, self._last + 1)
            self._last = first + number
            return first


def _down(error: sqlite3.Error) -> DependencyDown:
    return DependencyDown("cassandra", f"the SQLite store does not answer: {error}")
