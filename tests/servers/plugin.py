"""pytest fixtures of real servers, started at first use.

- `kafka_server`, `cassandra_server`: one each for the whole run, all test processes together (`shared.py`). Tests keep
  apart by names of their own for topics, groups and keyspaces.
- `redis_server`: one for each test process, since tests empty its databases.
- `own_kafka`, `own_cassandra`, `own_redis`: for a test module that stops, freezes or kills them.

LERN_TEST_REQUIRE=all: servers of our own, and a test fails when its server cannot be had. Else the server at
LERN_TEST_KAFKA, LERN_TEST_CASSANDRA (`host:port`) or LERN_TEST_REDIS (`redis://host:port`), and a test that asks for
one of its own is skipped. Else the test is skipped.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.servers.jars import PROFILES, UnresolvedJarsError, jars
from tests.servers.process import OwnServer
from tests.servers.running import KINDS
from tests.servers.server import Server, StackError
from tests.servers.shared import SharedServers, ask

_REQUIRE = "LERN_TEST_REQUIRE"
_PORT = "lern_shared_servers"
_SHARED = pytest.StashKey[SharedServers]()
_ADDRESS_OF = pytest.StashKey[Callable[[str], str]]()
_OWN = pytest.StashKey[list[OwnServer]]()


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that others use as well: of the whole run, or somebody else's."""

    address: str


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a misspelt LERN_TEST_REQUIRE: it would turn failures into skips."""
    if os.environ.get(_REQUIRE, "") not in {"", "all"}:
        raise pytest.UsageError(f"{_REQUIRE} must be `all` or unset, not {os.environ[_REQUIRE]!r}")
    shared = config.stash[_SHARED] = SharedServers()
    port = getattr(config, "workerinput", {}).get(_PORT)
    config.stash[_ADDRESS_OF] = partial(ask, port) if port else shared.address
    config.stash[_OWN] = []


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a test process of pytest-xdist where to ask for the shared servers."""
    node.workerinput[_PORT] = node.config.stash[_SHARED].port


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the shared servers: by now the other test processes have ended."""
    if _SHARED in config.stash:
        config.stash[_SHARED].close()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch the jars that the chosen tests need before any test's time limit runs; the fixture reports a failure."""
    if required():
        used = {fixture for item in session.items for fixture in getattr(item, "fixturenames", ())}
        for profile in PROFILES:
            if used & {f"{profile}_server", f"own_{profile}"}:
                with suppress(UnresolvedJarsError):
                    jars(profile)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start again what an earlier test stopped and, by failing, left stopped."""
    for server in item.config.stash[_OWN]:
        server.start()


@pytest.fixture(scope="session")
def kafka_server(pytestconfig: pytest.Config) -> Server:
    """A Kafka broker; `address` is its `bootstrap.servers`. Topics are never created automatically."""
    return _shared("kafka", pytestconfig)


@pytest.fixture(scope="session")
def cassandra_server(pytestconfig: pytest.Config) -> Server:
    """A Cassandra node; `address` is `host:port`. Tests create keyspaces with names of their own."""
    return _shared("cassandra", pytestconfig)


@pytest.fixture(scope="session")
def redis_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """A Redis; `address` is `redis://host:port` without a database."""
    if required():
        yield from _own("redis", pytestconfig)
    else:
        yield _external("redis")


@pytest.fixture(scope="module")
def own_kafka(pytestconfig: pytest.Config) -> Iterator[OwnServer]:
    """A Kafka broker to stop, freeze or kill."""
    yield from _own("kafka", pytestconfig)


@pytest.fixture(scope="module")
def own_cassandra(pytestconfig: pytest.Config) -> Iterator[OwnServer]:
    """A Cassandra node to stop or kill."""
    yield from _own("cassandra", pytestconfig)


@pytest.fixture(scope="module")
def own_redis(pytestconfig: pytest.Config) -> Iterator[OwnServer]:
    """A Redis to stop or kill."""
    yield from _own("redis", pytestconfig)


def required() -> bool:
    """Whether a missing server is a failure."""
    return os.environ.get(_REQUIRE) == "all"


def _shared(name: str, config: pytest.Config) -> Server:
    if not required():
        return _external(name)
    try:
        return RunningServer(config.stash[_ADDRESS_OF](name))
    except StackError as error:
        pytest.fail(str(error), pytrace=False)


def _external(name: str) -> Server:
    variable = f"LERN_TEST_{name.upper()}"
    if address := os.environ.get(variable):
        return RunningServer(address)
    scheme = "redis://" if name == "redis" else ""
    pytest.skip(f"needs a real {name}: set {_REQUIRE}=all or {variable}={scheme}host:port")


def _own(name: str, config: pytest.Config) -> Iterator[OwnServer]:
    if not required():
        pytest.skip(f"needs a {name} of its own: set {_REQUIRE}=all")
    with tempfile.TemporaryDirectory(prefix="lern-stack-", ignore_cleanup_errors=True) as directory:
        server = KINDS[name](Path(directory) / name)
        try:
            server.start()
        except StackError as error:
            pytest.fail(str(error), pytrace=False)
        config.stash[_OWN].append(server)
        try:
            yield server
        finally:
            config.stash[_OWN].remove(server)
            server.kill()
