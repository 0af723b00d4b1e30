"""pytest fixtures `kafka_server`, `cassandra_server`, `redis_server`: one each for the whole run, started at first use.

LERN_TEST_REQUIRE=all: servers of our own, and a test fails when its server cannot be had. Else the server at
LERN_TEST_KAFKA, LERN_TEST_CASSANDRA (`host:port`) or LERN_TEST_REDIS (`redis://host:port`). Else the test is skipped.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest

from tests.servers.jars import PROFILES, UnresolvedJarsError, jars
from tests.servers.process import OwnServer
from tests.servers.running import KINDS
from tests.servers.server import Server, StackError

_REQUIRE = "LERN_TEST_REQUIRE"
_OWN = pytest.StashKey[list[OwnServer]]()


class ExternalServer:
    """A server that somebody else runs: usable at its address; a test that wants to stop or restart it is skipped."""

    def __init__(self, address: str, variable: str) -> None:
        self.address = address
        self._variable = variable

    @property
    def pid(self) -> int:
        """Skips the test."""
        self._not_ours()

    @property
    def log_path(self) -> Path:
        """Skips the test."""
        self._not_ours()

    def start(self) -> None:
        """Skips the test."""
        self._not_ours()

    def stop(self) -> None:
        """Skips the test."""
        self._not_ours()

    def kill(self) -> None:
        """Skips the test."""
        self._not_ours()

    def restart(self) -> None:
        """Skips the test."""
        self._not_ours()

    def _not_ours(self) -> NoReturn:
        pytest.skip(f"stops or inspects the server, which {self._variable} says is not ours: set {_REQUIRE}=all")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a misspelt LERN_TEST_REQUIRE: it would turn failures into skips."""
    if os.environ.get(_REQUIRE, "") not in {"", "all"}:
        raise pytest.UsageError(f"{_REQUIRE} must be `all` or unset, not {os.environ[_REQUIRE]!r}")
    config.stash[_OWN] = []


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch the jars that the chosen tests need before any test's time limit runs; the fixture reports a failure."""
    if required():
        used = {fixture for item in session.items for fixture in getattr(item, "fixturenames", ())}
        for profile in PROFILES:
            if f"{profile}_server" in used:
                with suppress(UnresolvedJarsError):
                    jars(profile)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start again what an earlier test stopped and, by failing, left stopped."""
    for server in item.config.stash[_OWN]:
        server.start()


@pytest.fixture(scope="session")
def kafka_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A Kafka broker; `address` is its `bootstrap.servers`. Topics are never created automatically."""
    yield from _server("kafka", pytestconfig)


@pytest.fixture(scope="session")
def cassandra_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A Cassandra node; `address` is `host:port`. Tests create keyspaces with names of their own."""
    yield from _server("cassandra", pytestconfig)


@pytest.fixture(scope="session")
def redis_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A Redis; `address` is `redis://host:port` without a database."""
    yield from _server("redis", pytestconfig)


def required() -> bool:
    """Whether a missing server is a failure."""
    return os.environ.get(_REQUIRE) == "all"


def _server(name: str, config: pytest.Config) -> Iterator[Server]:
    variable = f"LERN_TEST_{name.upper()}"
    address = os.environ.get(variable)
    if required():
        yield from _own(name, config.stash[_OWN])
    elif address:
        yield ExternalServer(address, variable)
    else:
        scheme = "redis://" if name == "redis" else ""
        pytest.skip(f"needs a real {name}: set {_REQUIRE}=all or {variable}={scheme}host:port")


def _own(name: str, started: list[OwnServer]) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="lern-stack-", ignore_cleanup_errors=True) as directory:
        server = KINDS[name](Path(directory) / name)
        try:
            server.start()
        except StackError as error:
            pytest.fail(str(error), pytrace=False)
        started.append(server)
        try:
            yield server
        finally:
            started.remove(server)
            server.stop()
