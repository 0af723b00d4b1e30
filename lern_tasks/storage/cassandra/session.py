"""Sessions on a Cassandra cluster, and statements under way on them. See docs/architecture.md, "Stores".

Every wait for the driver has a limit.
"""

import ssl
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from cassandra import ConsistencyLevel, OperationTimedOut
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import (
    ConstantReconnectionPolicy,
    DCAwareRoundRobinPolicy,
    RoundRobinPolicy,
    TokenAwarePolicy,
)
from cassandra.query import dict_factory

from lern_tasks.errors import DependencyDown, LernError, SettingsError
from lern_tasks.settings.shared import CassandraSettings
from lern_tasks.storage.cassandra import statements

_RECONNECT = 1.0
"""Seconds between attempts to reach a node that is down: an outage ends for us about when it ends."""

_HEARTBEAT = 10.0
"""Seconds after which a silent connection is tested, so that a node that hangs is noticed between messages."""

_GRACE = 2.0
"""Seconds beyond the driver's own timeout: then its event loop is dead, and we must not wait for it."""


class Call:
    """One statement under way; `timeout` in seconds for each page of its rows."""

    def __init__(self, session: Session, statement: Any, timeout: float) -> None:
        self._done = threading.Event()
        self._rows: list[dict[str, Any]] = []
        self._error: BaseException | None = None
        self._limit = timeout + _GRACE
        self._future: Any = None
        try:
            self._future = session.execute_async(statement, timeout=timeout)
            self._future.add_callbacks(self._on_page, self._on_error)
        except (*statements.DRIVER_ERRORS, *statements.UNFIT) as error:
            self._on_error(error)

    def result(self) -> list[dict[str, Any]] | LernError:
        """All rows, or what went wrong."""
        rows: list[dict[str, Any]] = []
        for page in self.pages():
            if isinstance(page, LernError):
                return page
            rows += page
        return rows

    def pages(self) -> Iterator[list[dict[str, Any]] | LernError]:
        """The rows as the server pages them, each page fetched when it is asked for; an error is the last."""
        while True:
            if not self._done.wait(self._limit):
                yield statements.lern_error(OperationTimedOut())
                return
            if self._error is not None:
                yield statements.lern_error(self._error)
                return
            rows, self._rows = self._rows, []
            yield rows
            if not self.has_more_pages:
                return
            self._done.clear()
            self._future.start_fetching_next_page()

    @property
    def has_more_pages(self) -> bool:
        """Whether there may be rows behind the page that came last."""
        more: bool = self._future.has_more_pages
        return more

    def _on_page(self, rows: Iterable[dict[str, Any]] | None) -> None:
        self._rows.extend(rows or ())
        self._done.set()

    def _on_error(self, error: BaseException) -> None:
        self._error = error
        self._done.set()


def connect(settings: CassandraSettings) -> Session:
    """A session on the cluster. Raises DependencyDown when no node lets us in, SettingsError for a wrong CA file."""
    made = None
    try:
        made = cluster(settings)
        return made.connect()
    except statements.DRIVER_ERRORS as error:
        if made is not None:
            made.shutdown()
        where = f"{settings.hosts!r}, port {settings.port}"
        raise DependencyDown(
            "cassandra", f"cassandra does not let us connect to {where}: {error}; check {_variables(error)}"
        ) from error


def _variables(error: BaseException) -> str:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "LERN_CASSANDRA__TLS_CA, and LERN_CASSANDRA__TLS_CHECK_HOST=false if certificates name no addresses"
    return "LERN_CASSANDRA__PROTOCOL_VERSION" if "protocol version" in text else "LERN_CASSANDRA__HOSTS"


def is_lost(session: Session) -> bool:
    """Whether the driver holds every node that it knows for down: they may have come back under other addresses."""
    return all(host.is_up is False for host in session.cluster.metadata.all_hosts())


def cluster(settings: CassandraSettings) -> Cluster:
    """The cluster as the settings describe it, not connected yet. Raises SettingsError for a wrong CA file."""
    local = DCAwareRoundRobinPolicy(settings.local_dc) if settings.multi_dc else RoundRobinPolicy()
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(local),
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        request_timeout=settings.timeout,
        row_factory=dict_factory,
    )
    auth = PlainTextAuthProvider(settings.username, settings.password.get_secret_value()) if settings.username else None
    return Cluster(
        [host.strip() for host in settings.hosts.split(",") if host.strip()],
        port=settings.port,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        auth_provider=auth,
        ssl_context=_tls(settings) if settings.tls_ca else None,
        # Unsaid, the driver asks from the highest down at each connection, and warns of each that is refused.
        protocol_version=settings.protocol_version,
        reconnection_policy=ConstantReconnectionPolicy(_RECONNECT, max_attempts=None),
        connect_timeout=settings.connect_timeout,
        control_connection_timeout=settings.connect_timeout,
        idle_heartbeat_interval=_HEARTBEAT,
        idle_heartbeat_timeout=settings.connect_timeout,
        monitor_reporting_enabled=False,
    )


def _tls(settings: CassandraSettings) -> ssl.SSLContext:
    file = settings.tls_ca
    try:
        context = ssl.create_default_context(cafile=file)
    except OSError as error:
        raise SettingsError(f"LERN_CASSANDRA__TLS_CA: cannot read CA certificates from {file}: {error}") from error
    context.check_hostname = settings.tls_check_host
    return context
