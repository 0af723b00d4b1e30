"""The tables in Cassandra. See docs/architecture.md, "Stores"."""

import os
import ssl
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from cassandra import (
    AuthenticationFailed,
    ConsistencyLevel,
    DriverException,
    InvalidRequest,
    OperationTimedOut,
    RequestValidationException,
    Unauthorized,
    Unavailable,
    UnresolvableContactPoints,
)
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.connection import ConnectionException
from cassandra.policies import (
    ConstantReconnectionPolicy,
    DCAwareRoundRobinPolicy,
    FallthroughRetryPolicy,
    RoundRobinPolicy,
    TokenAwarePolicy,
)
from cassandra.protocol import ErrorMessage, OverloadedErrorMessage
from cassandra.query import BatchStatement, BatchType, PreparedStatement, dict_factory
from cassandra.timestamps import MonotonicTimestampGenerator

from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, SchemaMismatch, TransientError
from lern_tasks.logs import logger
from lern_tasks.settings import Settings
from lern_tasks.stores import cql, schema_check
from lern_tasks.stores.gateway import Delete, Key, Mutation, PutMap, Row
from lern_tasks.stores.tables import Table

_log = logger(__name__)

_IN_FLIGHT = 64
"""Statements of one call at once: enough to hide the network, few enough not to overload a node."""

_RECONNECT = 1.0
"""Seconds between attempts to reach a node that is down: an outage ends for us about when it ends."""

_HEARTBEAT = 10.0
"""Seconds after which a silent connection is tested, so that a node that hangs is noticed between messages."""

_GRACE = 2.0
"""Seconds beyond the driver's own timeout: then its event loop is dead, and we must not wait for it."""

_DDL_TIMEOUT = 60.0
"""Seconds for CREATE: development and tests only; every node must agree."""

_DRIVER_ERRORS = (DriverException, NoHostAvailable, ConnectionException, ErrorMessage)
_UNFIT = (TypeError, ValueError, AttributeError, OverflowError, struct.error)
"""What the driver raises for a value that does not fit its column; UnicodeEncodeError is a ValueError."""


class _Call:
    """One statement under way."""

    def __init__(self, session: Session, statement: Any, timeout: float) -> None:
        self._done = threading.Event()
        self._rows: list[dict[str, Any]] = []
        self._error: BaseException | None = None
        self._limit = timeout + _GRACE
        self._future: Any = None
        try:
            self._future = session.execute_async(statement, timeout=timeout)
            self._future.add_callbacks(self._on_page, self._on_error)
        except (*_DRIVER_ERRORS, *_UNFIT) as error:
            self._on_error(error)

    def result(self) -> list[dict[str, Any]] | LernError:
        """All rows, or what went wrong."""
        while True:
            if not self._done.wait(self._limit):
                return _lern_error(OperationTimedOut())
            if self._error is not None:
                return _lern_error(self._error)
            if not self._future.has_more_pages:
                return self._rows
            self._done.clear()
            self._future.start_fetching_next_page()

    def _on_page(self, rows: Iterable[dict[str, Any]] | None) -> None:
        self._rows.extend(rows or ())
        self._done.set()

    def _on_error(self, error: BaseException) -> None:
        self._error = error
        self._done.set()


class CassandraGateway:
    """A `Gateway` on a cluster. Each process connects at its first use, and again after a failed attempt."""

    def __init__(self, settings: Settings) -> None:
        self._all_settings = settings
        self._settings = settings.cassandra
        self._batch_size = max(1, settings.activity_aggregate_updater.threshold_batch_write_size)
        # The driver's own generator. Each change takes a time of its own from it, so that later changes of one call
        # win over earlier ones, also within one batch.
        self._now: Callable[[], int] = MonotonicTimestampGenerator()
        self._opening = threading.Lock()
        self._pid = 0
        self._session: Session | None = None
        self._checked = False
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

    def apply(self, mutations: Sequence[Mutation]) -> list[LernError | None]:
        """See `Gateway.apply`: changes of one partition go together, in batches of the configured size."""
        results: list[LernError | None] = [None] * len(mutations)
        try:
            session = self._checked_session()
        except LernError as error:
            return [error] * len(mutations)
        partitions: defaultdict[tuple[Table, Key], list[tuple[int, Any]]] = defaultdict(list)
        for index, change in enumerate(mutations):
            try:
                statement = self._statement(session, change)
            except LernError as error:
                results[index] = error
            else:
                if statement is not None:
                    partition = change.table, change.key[: len(change.table.partition)]
                    partitions[partition].append((index, statement))
        groups = [
            changes[start : start + self._batch_size]
            for changes in partitions.values()
            for start in range(0, len(changes), self._batch_size)
        ]
        for index, error in self._write(session, groups):
            results[index] = error
        return results

    def create(self, tables: Sequence[Table]) -> None:
        """See `Gateway.create`. Raises LernError."""
        session = self._connected()
        texts = [cql.create_keyspace(table) for table in tables] + [cql.create_table(table) for table in tables]
        for text in dict.fromkeys(texts):
            result = _Call(session, text, _DDL_TIMEOUT).result()
            if isinstance(result, LernError):
                raise result

    def ping(self) -> None:
        """See `Gateway.ping`."""
        result = _Call(self._connected(), cql.PING, self._settings.timeout).result()
        if isinstance(result, LernError):
            raise DependencyDown("cassandra", str(result))

    def differences(self) -> list[str]:
        """What the schema check finds, in plain words. Raises LernError when Cassandra does not answer."""
        return self._differences(self._connected())

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
            session = self._checked_session()
        except LernError as error:
            return dict.fromkeys(prefixes, error)
        bound: list[tuple[Key, Any]] = []
        for prefix in dict.fromkeys(prefixes):
            try:
                _check_key(table, prefix, whole=whole)
                text = cql.select(table, columns, len(prefix))
                bound.append((prefix, self._bound(session, text, list(prefix), table)))
            except LernError as error:
                found[prefix] = error
        calls = ((prefix, statement) for prefix, statement in bound)
        for prefix, rows in self._run(session, calls):
            found[prefix] = rows if isinstance(rows, LernError) else [_row(row, columns) for row in rows]
        return found

    def _statement(self, session: Session, change: Mutation) -> Any:
        _check_key(change.table, change.key, whole=True)
        made = cql.mutation(change, self._now() if change.timestamp is None else change.timestamp)
        if made is None:
            return None
        statement = self._bound(session, *made, change.table)
        if not isinstance(change, PutMap | Delete):
            # A list's elements have no key of their own: the driver sending it twice would store each twice.
            statement.retry_policy = FallthroughRetryPolicy()
        return statement

    def _write(self, session: Session, groups: Sequence[list[tuple[int, Any]]]) -> Iterable[tuple[int, LernError]]:
        refused: list[list[tuple[int, Any]]] = []
        for group, result in self._run(session, ((group, _together(group)) for group in groups)):
            if isinstance(result, InvalidEvent) and len(group) > 1:
                refused += [[single] for single in group]
            elif isinstance(result, LernError):
                yield from ((index, result) for index, _ in group)
        if refused:
            # One wrong statement refuses its whole batch: one by one the others are written.
            yield from self._write(session, refused)

    def _run[T](self, session: Session, work: Iterable[tuple[T, Any]]) -> Iterable[tuple[T, Any]]:
        calls: deque[tuple[T, _Call]] = deque()
        for name, statement in work:
            if len(calls) == _IN_FLIGHT:
                first, call = calls.popleft()
                yield first, call.result()
            calls.append((name, _Call(session, statement, self._settings.timeout)))
        for name, call in calls:
            yield name, call.result()
