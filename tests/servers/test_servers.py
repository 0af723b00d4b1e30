"""The servers themselves: they work, keep port and data over an outage, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import redis
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session
from cassandra.policies import RoundRobinPolicy
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.harness.size import only_full
from tests.servers.process import OwnServer
from tests.servers.server import Server, wait_until

pytestmark = pytest.mark.stack

# Seconds for an answer of a server that is up: generous for a busy machine, an unanswered request fails the test.
_ANSWER = 30


def test_kafka_hands_over_a_record_also_after_a_crash(own_kafka: OwnServer) -> None:
    topic = f"records-{uuid.uuid4().hex}"
    _create_topic(own_kafka.address, topic)
    _produce(own_kafka.address, topic, b"before")
    assert _consume(own_kafka.address, topic, 1) == [b"before"]

    own_kafka.kill()
    own_kafka.start()

    _produce(own_kafka.address, topic, b"after")
    assert _consume(own_kafka.address, topic, 2) == [b"before", b"after"]


def test_kafka_creates_no_topic_by_itself(kafka_server: Server) -> None:
    topic = f"misspelt-{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": kafka_server.address})
    assert admin.list_topics(topic, timeout=_ANSWER).topics[topic].error is not None
    assert topic not in admin.list_topics(timeout=_ANSWER).topics


@only_full
def test_cassandra_keeps_the_cell_with_the_highest_timestamp_over_an_outage(
    own_cassandra: OwnServer,
) -> None:
    keyspace = f"k{uuid.uuid4().hex}"
    table = f"{keyspace}.cells"
    with _cluster(own_cassandra.address) as cluster:
        session = cluster.connect()
        replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        session.execute(f"CREATE KEYSPACE {keyspace} WITH replication = {replication}")
        session.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, value text)")
        session.execute(f"UPDATE {table} USING TIMESTAMP 2000 SET value = 'new' WHERE id = 1")
        session.execute(f"UPDATE {table} USING TIMESTAMP 1000 SET value = 'old' WHERE id = 1")
        assert _cell(session, table) == ("new", 2000)

    # In order first: a periodic commit log may lose the last moments before a crash (see README.md, "Crashes").
    own_cassandra.restart()
    own_cassandra.kill()
    own_cassandra.start()

    with _cluster(own_cassandra.address) as cluster:
        assert _cell(cluster.connect(), table) == ("new", 2000)


def test_redis_keeps_a_key_over_a_restart_and_a_crash(own_redis: OwnServer) -> None:
    key = uuid.uuid4().hex
    with redis.Redis.from_url(own_redis.address, socket_timeout=_ANSWER) as client:
        client.set(key, "kept")
        own_redis.restart()
        assert client.get(key) == b"kept"
        client.set(key, "changed")
        own_redis.kill()
        own_redis.start()
        assert client.get(key) == b"changed"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


@pytest.mark.parametrize(
    "fixture",
    [pytest.param("own_kafka", marks=only_full), pytest.param("own_cassandra", marks=only_full), "own_redis"],
)
def test_stop_ends_the_process_and_start_takes_the_same_port(fixture: str, request: pytest.FixtureRequest) -> None:
    server: OwnServer = request.getfixturevalue(fixture)
    address, pid = server.address, server.pid
    server.stop()
    assert not _exists(pid)
    server.start()
    assert server.address == address
    assert server.pid != pid


def test_a_killed_parent_leaves_neither_server_nor_directory(own_redis: OwnServer) -> None:
    assert own_redis.pid
    program = (
        "from tests.servers import running\n"
        "with running(redis=True) as stack:\n"
        "    server = stack.server('redis')\n"
        "    print(server.pid, server.log_path, flush=True)\n"
        "    input()\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, log_path = parent.stdout.readline().split()
        assert _exists(int(pid))
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not _exists(int(pid)), seconds=_ANSWER, what="the server is gone")
    wait_until(lambda: not Path(log_path).parent.parent.exists(), seconds=_ANSWER, what="its directory is gone")


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _create_topic(address: str, topic: str) -> None:
    # Kept in a name: the client answers nothing once it is collected.
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(_ANSWER)


def _produce(address: str, topic: str, value: bytes) -> None:
    errors: list[object] = []
    producer = Producer({"bootstrap.servers": address})
    producer.produce(topic, value, on_delivery=lambda error, _message: errors.append(error))
    assert producer.flush(_ANSWER) == 0
    assert errors == [None]


def _consume(address: str, topic: str, count: int) -> list[bytes | None]:
    settings = {"bootstrap.servers": address, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"}
    consumer = Consumer(settings)
    try:
        consumer.subscribe([topic])
        return [message.value() for message in consumer.consume(count, _ANSWER)]
    finally:
        consumer.close()


def _cluster(address: str) -> Cluster:
    host, port = address.rsplit(":", 1)
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy())
    return Cluster([host], port=int(port), protocol_version=5, execution_profiles={EXEC_PROFILE_DEFAULT: profile})


def _cell(session: Session, table: str) -> tuple[str, int]:
    row = session.execute(f"SELECT value, writetime(value) FROM {table} WHERE id = 1").one()
    return row[0], row[1]
