"""The tables in Cassandra. See docs/architecture.md, "Stores"."""

import os
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from cassandra.cluster import Session
from cassandra.policies import FallthroughRetryPolicy
from cassandra.query import PreparedStatement
from cassandra.timestamps import MonotonicTimestampGenerator

from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, SchemaMismatch
from lern_tasks.settings import Settings
from lern_tasks.storage import column_types
from lern_tasks.storage.cassandra import ddl, schema_check, statements
from lern_tasks.storage.cassandra.installed_schema import InstalledSchema
from lern_tasks.storage.cassandra.scan import next_page
from lern_tasks.storage.cassandra.schema_check import FoundSchema
from lern_tasks.storage.cassandra.session import Call, connect, is_lost
from lern_tasks.storage.cassandra.values import row_of
from lern_tasks.storage.gateway import BATCH_SIZE, Key, Mutation, Page, Row
from lern_tasks.storage.table import Table

_IN_FLIGHT = 64
"""Statements of one call at once: enough to hide the network, few enough not to overload a node."""

_LOST_FOR = 10.0
"""Seconds without any node until their names are looked up anew; an interruption of the network is shorter."""

_DDL_TIMEOUT = 60.0
"""Seconds for CREATE: development and tests only; every node must agree."""

T = TypeVar("T")


class CassandraGateway:
    """A `Gateway` on a cluster. Each process connects at its first use, and again after a failed attempt."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.cassandra
        # The driver's own generator. Each change takes a time of its own from it, so that later changes of one call
        # win over earlier ones, also within one batch.
        self._now: Callable[[], int] = MonotonicTimestampGenerator()
        self._opening = threading.Lock()
        self._pid = 0
        self._session: Session | None = None
        self._lost_since: float | None = None
        self._schema = self._unread_schema()
        self._prepared: dict[str, PreparedStatement] = {}

    def get_many(self, table: Table, keys: Sequence[Key], columns: Sequence[str]) -> dict[Key, Row | None | LernError]:
        """See `Gateway.get_many`."""
        found: dict[Key, Row | None | LernError] = {}
        for key, rows in self._select(table, keys, columns, whole=True).items():
            found[key] = rows if isinstance(rows, LernError) else next(iter(rows), None)
        return found

    def select_many(
        self, table: Table, prefixes: Sequence[Key], columns: Sequence[str]
    ) -> dict[Key, list[Row] | LernError]:
        """See `Gateway.select_many`."""
        return self._select(table, prefixes, columns, whole=False)

    def scan(self, table: Table, columns: Sequence[str], *, after: str | None, limit: int) -> Page:
        """See `Gateway.scan`: by token, in the order of tokens."""
        session = self._connected()
        self._schema.check(table)
        text = statements.scan(table, columns, self._schema.partition(table), resumed=after is not None)
        statement = self._bound(session, text, [] if after is None else [int(after)])
        timeout = self._settings.timeout
        return next_page(session, statement, table=table, columns=columns, limit=limit, timeout=timeout)

    def select_page(self, table: Table, prefix: Key, columns: Sequence[str], *, after: str | None, limit: int) -> Page:
        """See `Gateway.select_page`: in the order of the last column; `after` is its last value."""
        column_types.check_last(table, prefix)
        session = self._connected()
        self._schema.check(table)
        text = statements.select_page(table, columns, resumed=after is not None)
        bound = [*prefix, *(() if after is None else (after,)), max(1, limit)]
        rows = Call(session, self._bound(session, text, bound), self._settings.timeout).result()
        if isinstance(rows, LernError):
            raise rows
        last = rows[-1][table.key[-1]] if len(rows) >= limit else None
        found = [row_of(table, row, columns) for row in rows]
        return Page(rows=found, after=last, done=1.0 if last is None else 0.0)

    def present(self, table: Table) -> frozenset[str]:
        """See `Gateway.present`."""
        self._connected()
        return self._schema.present(table)

    def apply(self, mutations: Sequence[Mutation], *, batch_size: int = BATCH_SIZE) -> list[LernError | None]:
        """See `Gateway.apply`: changes of one partition go together, in batches of that size."""
        results: list[LernError | None] = [None] * len(mutations)
        partitions: defaultdict[tuple[Table, Key], list[tuple[int, Any]]] = defaultdict(list)
        try:
            session = self._connected()
            refused = self._refused(dict.fromkeys(change.table for change in mutations))
        except LernError as down:
            return [down] * len(mutations)
        for index, change in enumerate(mutations):
            results[index] = refused.get(change.table)
            if results[index] is not None:
                continue
            try:
                statement = self._statement(session, change)
            except LernError as wrong:
                results[index] = wrong
            else:
                if statement is not None:
                    # The changes of one declared partition are of one partition on the table's other keys too.
                    partition = change.table, change.key[: len(change.table.partition)]
                    partitions[partition].append((index, statement))
        size = max(1, batch_size)
        groups = [same[start : start + size] for same in partitions.values() for start in range(0, len(same), size)]
        for index, error in self._write(session, groups):
            results[index] = error
        return results

    def create(self, tables: Sequence[Table]) -> None:
        """See `Gateway.create`. Raises LernError."""
        session = self._connected()
        texts = [ddl.create_keyspace(table.keyspace, ddl.ONE_COPY) for table in tables]
        for table in tables:
            texts += [*ddl.create_types(table), ddl.create_table(table)]
        for text in dict.fromkeys(texts):
            result = Call(session, text, _DDL_TIMEOUT).result()
            if isinstance(result, LernError):
                raise result
        self._schema = self._unread_schema()

    def ping(self) -> None:
        """See `Gateway.ping`."""
        result = Call(self._connected(), statements.PING, self._settings.timeout).result()
        if isinstance(result, LernError):
            raise DependencyDown("cassandra", str(result))

    def schema_differences(self, tables: Sequence[Table]) -> list[str]:
        """What the schema check finds in `tables`, in plain words. Raises LernError for no answer."""
        found = FoundSchema()
        for keyspace in sorted({ddl.stored_name(table.keyspace) for table in tables}):
            found = found.joined(self._read_schema(keyspace))
        return schema_check.differences(tables, found)

    def close(self) -> None:
        """See `Gateway.close`."""
        with self._opening:
            session, self._session = self._session, None
            if session is not None and self._pid == os.getpid():
                session.cluster.shutdown()

    def _select(
        self, table: Table, prefixes: Sequence[Key], columns: Sequence[str], *, whole: bool
    ) -> dict[Key, list[Row] | LernError]:
        found: dict[Key, list[Row] | LernError] = {}
        try:
            session = self._connected()
            self._schema.check(table)
        except LernError as error:
            return dict.fromkeys(prefixes, error)
        bound: list[tuple[Key, Any]] = []
        for prefix in dict.fromkeys(prefixes):
            try:
                column_types.check_key(table, prefix, whole=whole)
                text = statements.select(table, columns, len(prefix))
                bound.append((prefix, self._bound(session, text, list(prefix))))
            except LernError as error:
                found[prefix] = error
        for prefix, rows in self._run(session, bound):
            found[prefix] = rows if isinstance(rows, LernError) else [row_of(table, row, columns) for row in rows]
        return found

    def _statement(self, session: Session, change: Mutation) -> Any:
        column_types.check_change(change)
        made = statements.mutation(change, self._now() if change.timestamp is None else change.timestamp)
        if made is None:
            return None
        statement = self._bound(session, *made)
        if statements.is_list_write(change):
            # A list's elements have no key of their own: sent twice with one timestamp, each would be stored twice.
            statement.retry_policy = FallthroughRetryPolicy()
        return statement

    def _write(self, session: Session, groups: Sequence[list[tuple[int, Any]]]) -> Iterable[tuple[int, LernError]]:
        refused: list[list[tuple[int, Any]]] = []
        for group, result in self._run(
            session, ((group, statements.together([statement for _, statement in group])) for group in groups)
        ):
            if isinstance(result, InvalidEvent) and len(group) > 1:
                refused += [[single] for single in group]
            elif isinstance(result, LernError):
                yield from ((index, result) for index, _ in group)
        if refused:
            # One wrong statement refuses its whole batch: one by one the others are written.
            yield from self._write(session, refused)

    def _run(self, session: Session, work: Iterable[tuple[T, Any]]) -> Iterable[tuple[T, Any]]:
        calls: deque[tuple[T, Call]] = deque()
        for name, statement in work:
            if len(calls) == _IN_FLIGHT:
                first, call = calls.popleft()
                yield first, call.result()
            calls.append((name, Call(session, statement, self._settings.timeout)))
        for name, call in calls:
            yield name, call.result()

    def _bound(self, session: Session, text: str, values: list[Any]) -> Any:
        prepared = self._prepared.get(text)
        if prepared is None:
            prepared = self._prepared[text] = statements.prepare(session, text)
        try:
            return prepared.bind(values)
        except statements.UNFIT as error:
            raise statements.lern_error(error) from error

    def _refused(self, tables: Iterable[Table]) -> dict[Table, LernError]:
        """The tables that differ from what the jobs need. Raises LernError for no answer."""
        refused: dict[Table, LernError] = {}
        for table in tables:
            try:
                self._schema.check(table)
            except SchemaMismatch as differs:
                refused[table] = differs
        return refused

    def _unread_schema(self) -> InstalledSchema:
        return InstalledSchema(self._read_schema, self._settings.schema_check)

    def _read_schema(self, keyspace: str) -> FoundSchema:
        columns = self._rows(ddl.COLUMNS_OF_KEYSPACE, keyspace)
        return schema_check.found_schema(keyspace, columns, self._rows(ddl.TYPES_OF_KEYSPACE, keyspace))

    def _rows(self, text: str, keyspace: str) -> list[dict[str, Any]]:
        session = self._connected()
        rows = Call(session, self._bound(session, text, [keyspace]), self._settings.timeout).result()
        if isinstance(rows, LernError):
            raise rows
        return rows

    def _connected(self) -> Session:
        with self._opening:
            self._leave_lost_nodes()
            if self._session is None or self._pid != os.getpid():
                # A session from before a fork has no threads here: it is left alone.
                self._session = connect(self._settings)
                self._pid, self._prepared = os.getpid(), {}
                self._schema = self._unread_schema()
            return self._session

    def _leave_lost_nodes(self) -> None:
        """Give up the session whose nodes have all been away for some time, so that the next one asks for the names.

        The driver looks a name up once, and tries the addresses that it found for as long as it lives.
        """
        session = self._session
        if session is None or self._pid != os.getpid() or not is_lost(session):
            self._lost_since = None
        elif self._lost_since is None:
            self._lost_since = time.monotonic()
        elif time.monotonic() - self._lost_since > _LOST_FOR:
            self._session = self._lost_since = None
            # It waits for connections that do not answer.
            threading.Thread(target=session.cluster.shutdown, daemon=True).start()
