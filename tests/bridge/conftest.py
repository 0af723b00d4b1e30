"""Kafka and Redis for the bridge's tests: embedded, and real ones where they are to be had."""

from collections.abc import Iterator

import pytest
from redis import Redis

from lern_tasks.demo.servers.kafka import Kafka as EmbeddedKafka
from lern_tasks.demo.servers.redis import Redis as EmbeddedRedis
from tests.bridge.doubles import RecordingBroker
from tests.bridge.kafka import Kafka
from tests.bridge.process import Stack
from tests.servers.server import Server

real = pytest.mark.stack
_DATABASE = 14
"""A database of the real Redis that no role uses by default."""


@pytest.fixture(scope="session")
def embedded_cluster() -> Iterator[Kafka]:
    """One embedded Kafka for all tests."""
    with EmbeddedKafka({}) as server:
        yield Kafka(server.bootstrap, embedded=True)


@pytest.fixture(scope="session")
def real_cluster(kafka_server: Server) -> Kafka:
    """The real Kafka."""
    return Kafka(kafka_server.address, embedded=False)


@pytest.fixture
def embedded_kafka(embedded_cluster: Kafka) -> Kafka:
    """The embedded Kafka with an environment of this test's own, without topics."""
    embedded_cluster.new_environment()
    return embedded_cluster


@pytest.fixture(params=["embedded", pytest.param("real", marks=real)])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    """A Kafka with an environment of this test's own and the aggregate's topic."""
    chosen: Kafka = request.getfixturevalue(f"{request.param}_cluster")
    chosen.new_environment()
    chosen.create(chosen.route().topic)
    return chosen


@pytest.fixture
def embedded_redis() -> Iterator[EmbeddedRedis]:
    """An embedded Redis of this test's own, which it may stop and start."""
    with EmbeddedRedis() as server:
        yield server


@pytest.fixture(params=["embedded", pytest.param("real", marks=real)])
def broker_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty broker database."""
    if request.param == "embedded":
        redis: EmbeddedRedis = request.getfixturevalue("embedded_redis")
        return f"{redis.url}/0"
    return _emptied(request.getfixturevalue("redis_server"))


def _emptied(server: Server) -> str:
    url = f"{server.address}/{_DATABASE}"
    with Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def stack(kafka: Kafka, request: pytest.FixtureRequest) -> Stack:
    """Kafka and broker for a bridge process: both embedded, or both real."""
    if kafka.embedded:
        return Stack(kafka, f"{request.getfixturevalue('embedded_redis').url}/0")
    return Stack(kafka, _emptied(request.getfixturevalue("redis_server")))


@pytest.fixture
def broker() -> RecordingBroker:
    """A broker that remembers."""
    return RecordingBroker()
