"""What only Cassandra has: when it connects, batches, outages and coming back. See docs/architecture.md, "Stores"."""

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import certifi
import pytest
from cassandra import ConsistencyLevel
from cassandra.cluster import NoHostAvailable
from cassandra.policies import DCAwareRoundRobinPolicy, RoundRobinPolicy, TokenAwarePolicy

from lern_tasks.errors import DependencyDown, InvalidEvent, SettingsError, TransientError
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import CassandraSettings
from lern_tasks.storage import column_types, open_gateway
from lern_tasks.storage.cassandra import gateway as gateway_module
from lern_tasks.storage.cassandra import session
from lern_tasks.storage.cassandra import statements as cql
from lern_tasks.storage.cassandra.gateway import CassandraGateway
from lern_tasks.storage.gateway import Page
from lern_tasks.storage.table import Table
from tests.harness.size import only_full
from tests.harness.tcp_proxy import TcpProxy
from tests.harness.waiting import wait_until
from tests.servers.process import OwnServer
from tests.servers.server import Server
from tests.storage import gateways
from tests.storage.gateways import cassandra_settings, cell, every_type_in, new_key, put, rows_under, write

TIMEOUT = 1.0
"""Seconds of one statement here; ten would make the tests of silence slow."""

BACK = 30
"""Seconds within which it is found again: a reconnection each second, and a machine that is busy."""


@pytest.fixture(scope="module")
def table(cassandra_server: Server) -> Iterator[Table]:
    with gateways.keyspace(cassandra_server.address) as name:
        table = every_type_in(name)
        gateway = CassandraGateway(cassandra_settings(cassandra_server.address))
        gateway.create([table])
        gateway.close()
        yield table


@pytest.fixture
def proxy(cassandra_server: Server) -> Iterator[TcpProxy]:
    proxy = TcpProxy(cassandra_server.address)
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture
def patient(proxy: TcpProxy) -> Iterator[CassandraGateway]:
    """With the limit of an installation: reading a whole table may take its time on a busy machine."""
    made = CassandraGateway(cassandra_settings(proxy.address, connect_timeout=TIMEOUT))
    yield made
    made.close()


@pytest.fixture
def gateway(proxy: TcpProxy) -> Iterator[CassandraGateway]:
    made = CassandraGateway(cassandra_settings(proxy.address, timeout=TIMEOUT, connect_timeout=TIMEOUT))
    yield made
    made.close()


def works(gateway: CassandraGateway, table: Table) -> bool:
    key = new_key()
    return gateway.apply([put(table, key, whole=1)]) == [None] and cell(gateway, table, key, "whole") == 1


def test_the_driver_is_not_even_imported_before_it_is_needed() -> None:
    code = "import lern_tasks.delivery.resources, lern_tasks.app, sys; sys.exit('cassandra' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_gateway_starts_no_thread_before_its_first_use() -> None:
    before = threading.active_count()
    gateway = open_gateway(Settings(cassandra=CassandraSettings(hosts="127.0.0.1", port=1)))
    assert isinstance(gateway, CassandraGateway)
    assert threading.active_count() == before
    gateway.close()


@pytest.mark.stack
def test_it_connects_at_its_first_use_and_once(gateway: CassandraGateway, proxy: TcpProxy, table: Table) -> None:
    assert proxy.connections == 0
    assert works(gateway, table)
    opened = proxy.connections
    assert opened > 0
    assert works(gateway, table)
    assert proxy.connections == opened


@pytest.mark.stack
def test_a_batch_is_of_one_partition_and_of_the_configured_size(
    cassandra_server: Server, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[list[Any]] = []

    def together(statements: Sequence[Any]) -> Any:
        sent.append(list(statements))
        return real(statements)

    real = cql.together
    monkeypatch.setattr(cql, "together", together)
    gateway = CassandraGateway(cassandra_settings(cassandra_server.address))
    one, two = new_key()[:2], new_key()[:2]
    keys = [(*partition, "street", f"{house}") for house in range(7) for partition in (one, two)]
    changes = [put(table, key, whole=number) for number, key in enumerate(keys)]
    assert gateway.apply(changes, batch_size=3) == [None] * len(changes)
    gateway.close()
    assert sorted(len(statements) for statements in sent) == [1, 1, 3, 3, 3, 3]
    for statements in sent:
        assert len({statement.routing_key for statement in statements}) == 1


@pytest.mark.stack
def test_what_only_the_server_refuses_takes_nothing_of_its_batch_along(
    cassandra_server: Server, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without our own check, as for a limit that a server has and we do not know.
    monkeypatch.setattr(column_types, "check_change", lambda change: None)
    gateway = CassandraGateway(cassandra_settings(cassandra_server.address))
    partition = new_key()[:2]
    keys = [(*partition, "street", house) for house in ("1", "2" * 70_000, "3")]
    results = gateway.apply([put(table, key, whole=1) for key in keys])
    assert [results[0], results[2]] == [None, None]
    assert isinstance(results[1], InvalidEvent)
    assert {row["house"] for row in rows_under(gateway, table, partition, "house")} == {"1", "3"}
    gateway.close()


@pytest.mark.stack
def test_a_scan_begins_and_ends_at_the_ends_of_the_ring(patient: CassandraGateway, table: Table) -> None:
    write(patient, *(put(table, new_key(), whole=1) for _ in range(10)))
    page = patient.scan(table, ["house"], after=None, limit=10_000)
    assert len(page.rows) >= 10
    # No row has the least token: Cassandra gives it to none.
    assert patient.scan(table, ["house"], after=str(-(2**63)), limit=10_000) == page
    assert patient.scan(table, ["house"], after=str(2**63 - 1), limit=10) == Page(rows=[], after=None, done=1.0)


@pytest.mark.stack
def test_a_scan_tells_of_an_outage_and_goes_on_where_it_was(
    patient: CassandraGateway, proxy: TcpProxy, table: Table
) -> None:
    write(patient, *(put(table, new_key(), whole=1) for _ in range(30)))
    whole = patient.scan(table, table.key, after=None, limit=10_000).rows
    first = patient.scan(table, table.key, after=None, limit=10)
    proxy.stop()
    with pytest.raises((DependencyDown, TransientError)):
        patient.scan(table, table.key, after=first.after, limit=10)
    proxy.start()
    wait_until(lambda: works(patient, table), seconds=BACK, what="the end of the outage")
    rest = patient.scan(table, table.key, after=first.after, limit=10_000).rows
    assert all(row in [*first.rows, *rest] for row in whole)
    assert not [row for row in rest if row in first.rows]


@pytest.mark.stack
def test_the_first_connection_is_tried_again(gateway: CassandraGateway, proxy: TcpProxy, table: Table) -> None:
    proxy.stop()
    [error] = gateway.apply([put(table, new_key(), whole=1)])
    assert isinstance(error, DependencyDown)
    proxy.start()
    assert works(gateway, table)


@pytest.mark.stack
def test_an_outage_is_told_at_once_and_ends_by_itself(gateway: CassandraGateway, proxy: TcpProxy, table: Table) -> None:
    assert works(gateway, table)
    proxy.stop()
    key = new_key()
    errors = wait_until(
        lambda: [error for error in gateway.apply([put(table, key, whole=1)]) if isinstance(error, DependencyDown)],
        seconds=BACK,
        what="an outage",
    )
    assert errors[0].name == "cassandra"
    begun = time.monotonic()
    assert isinstance(gateway.get_many(table, [key], ["whole"])[key], DependencyDown)
    with pytest.raises(DependencyDown):
        gateway.ping()
    # Nothing waits for a node that is known to be away.
    assert time.monotonic() - begun < TIMEOUT
    proxy.start()
    wait_until(lambda: gateway.apply([put(table, key, whole=1)]) == [None], seconds=BACK, what="the end of the outage")
    gateway.ping()
    assert works(gateway, table)


@pytest.mark.stack
def test_silence_is_bounded_in_time_and_no_outage_of_others(
    gateway: CassandraGateway, proxy: TcpProxy, table: Table
) -> None:
    assert works(gateway, table)
    proxy.fall_silent()
    begun = time.monotonic()
    keys = [new_key() for _ in range(20)]
    results = gateway.apply([put(table, key, whole=1) for key in keys])
    assert len(results) == 20
    for error in results:
        assert isinstance(error, TransientError | DependencyDown)
        assert not isinstance(error, TransientError) or error.dependency == "cassandra"
    # All at the same time: not one after the other.
    assert time.monotonic() - begun < 5 * TIMEOUT
    proxy.speak()
    wait_until(lambda: works(gateway, table), seconds=BACK, what="the end of the silence")


@pytest.mark.stack
@pytest.mark.slow
@pytest.mark.kill
@only_full
def test_a_killed_server_is_found_again_with_its_statements(own_cassandra: OwnServer) -> None:
    gateway = CassandraGateway(cassandra_settings(own_cassandra.address, timeout=TIMEOUT))
    table = every_type_in("killed")
    gateway.create([table])
    # In order first: what was created a moment before a crash may be lost (tests/servers/README.md, "Crashes").
    own_cassandra.restart()
    wait_until(lambda: works(gateway, table), seconds=BACK, what="the server as it was")
    own_cassandra.kill()
    [error] = gateway.apply([put(table, new_key(), whole=1)])
    assert isinstance(error, DependencyDown | TransientError)
    own_cassandra.start()
    wait_until(lambda: works(gateway, table), seconds=BACK, what="the restarted server")
    gateway.close()


def test_nodes_that_come_back_under_other_addresses_are_found_by_their_name(
    cassandra_server: Server, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a Kubernetes service: the driver looks a name up once."""
    monkeypatch.setattr(gateway_module, "_LOST_FOR", 1.0)
    before = TcpProxy(cassandra_server.address, bind="127.0.0.2")
    before.start()
    after = TcpProxy(cassandra_server.address, bind="127.0.0.3", at=before.port)
    now, resolve = [before], socket.getaddrinfo

    def resolved(host: Any, *arguments: Any, **options: Any) -> Any:
        there = now[0].address.partition(":")[0] if host == "cassandra.test" else host
        return resolve(there, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    gateway = CassandraGateway(cassandra_settings(f"cassandra.test:{before.port}", connect_timeout=TIMEOUT))
    try:
        assert works(gateway, table)
        before.stop()
        now[0] = after
        after.start()
        wait_until(lambda: works(gateway, table), seconds=BACK, what="the node under its new address")
        assert after.connections
    finally:
        gateway.close()
        before.stop()
        after.stop()


def test_one_version_of_the_protocol_is_asked_for(
    table: Table, caplog: pytest.LogCaptureFixture, proxy: TcpProxy
) -> None:
    gateway = CassandraGateway(cassandra_settings(proxy.address))
    with caplog.at_level("WARNING", logger="cassandra"):
        assert works(gateway, table)
    assert [record.message for record in caplog.records if "protocol" in record.message] == []
    gateway.close()


@pytest.mark.parametrize("check", [True, False])
def test_names_in_certificates_are_checked_unless_the_setting_says_otherwise(*, check: bool) -> None:
    authorities = ssl.get_default_verify_paths().cafile or certifi.where()
    made = session.cluster(CassandraSettings(tls_ca=authorities, tls_check_host=check))
    try:
        assert made.ssl_context.check_hostname is check
        assert made.ssl_context.verify_mode is ssl.CERT_REQUIRED
    finally:
        made.shutdown()


@pytest.mark.parametrize(
    ("said", "variable"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] IP address mismatch", "LERN_CASSANDRA__TLS_CHECK_HOST=false"),
        ("Invalid or unsupported protocol version (5)", "LERN_CASSANDRA__PROTOCOL_VERSION"),
        ("Tried connecting to [('127.0.0.1', 9042)]", "LERN_CASSANDRA__HOSTS"),
    ],
)
def test_the_variable_that_may_be_wrong_is_named(said: str, variable: str) -> None:
    assert variable in session._variables(NoHostAvailable(said, {}))


def _profile(settings: CassandraSettings) -> Any:
    cluster = session.cluster(settings)
    try:
        return cluster.profile_manager.default
    finally:
        cluster.shutdown()


def test_statements_go_to_a_replica_at_local_quorum() -> None:
    profile = _profile(CassandraSettings(timeout=7.0))
    assert profile.consistency_level == ConsistencyLevel.LOCAL_QUORUM
    assert profile.request_timeout == 7.0
    assert isinstance(profile.load_balancing_policy, TokenAwarePolicy)
    assert type(profile.load_balancing_policy._child_policy) is RoundRobinPolicy


def test_with_several_data_centres_statements_stay_in_the_local_one() -> None:
    policy = _profile(CassandraSettings(multi_dc=True, local_dc="dc2")).load_balancing_policy._child_policy
    assert isinstance(policy, DCAwareRoundRobinPolicy)
    assert policy.local_dc == "dc2"


def test_a_wrong_file_of_authorities_names_its_setting() -> None:
    with pytest.raises(SettingsError, match="LERN_CASSANDRA__TLS_CA"):
        session.cluster(CassandraSettings(tls_ca="/nowhere/ca.pem"))
