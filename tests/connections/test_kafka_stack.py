"""Producer and dead letters against a real broker: its limits, its outages."""

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from lern_tasks.connections.files import Files
from lern_tasks.connections.kafka import KafkaOut, OutMessage, TooLarge
from lern_tasks.delivery.dead_letter import DeadLetter, Failure, from_message, publish
from lern_tasks.delivery.record import Record
from lern_tasks.errors import DependencyDown
from lern_tasks.settings.shared import KafkaSettings
from tests.harness.mock_kafka import read
from tests.servers.process import OwnServer
from tests.servers.server import Server

pytestmark = pytest.mark.stack

FAILURE = Failure(
    job="j", code="C", error="e" * 900, exception="X", attempts=1, first_failed_ms=0, last_failed_ms=0, trace="t" * 2000
)
# The broker's own default for one batch.
LIMIT = 1_048_588


@pytest.fixture
def kafka(kafka_server: Server) -> Iterator[KafkaOut]:
    with client_of(kafka_server) as client:
        yield client


@contextmanager
def client_of(server: Server) -> Iterator[KafkaOut]:
    # Longer than topic.metadata.propagation.max.ms, so that a missing topic is told from an outage.
    client = KafkaOut(KafkaSettings(brokers=server.address, delivery_timeout=8))
    yield client
    client.close()


def create_topic(server: Server, **config: str) -> str:
    name = f"t-{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": server.address})
    admin.create_topics([NewTopic(name, 1, 1, config=config)])[name].result(60)
    return name


@pytest.fixture
def topic(kafka_server: Server) -> str:
    return create_topic(kafka_server)


@pytest.mark.slow
def test_a_value_of_almost_the_limit_loses_its_trace_and_a_larger_one_its_place(
    kafka_server: Server, kafka: KafkaOut, topic: str, tmp_path: Path
) -> None:
    files = Files(tmp_path.as_uri())
    values = ["a" * (LIMIT - 2000), "é" * LIMIT, "small"]
    records = [Record(value=value, topic="in", partition=0, offset=n, key="k") for n, value in enumerate(values)]
    letters = [DeadLetter(record=record, failure=FAILURE, topic=topic) for record in records]

    assert publish(letters, kafka, files) == [None, None, None]

    found = {}
    for message in read(kafka_server.address, topic, 3):
        record, _ = from_message(message.headers(), message.value(), message.key(), files)
        found[record.offset] = (record.value, dict(message.headers() or ()))
    assert [found[n][0] for n in range(3)] == values
    assert ["lern-trace" in found[n][1] for n in range(3)] == [False, False, True]
    assert ["lern-value-ref" in found[n][1] for n in range(3)] == [False, True, False]


def test_a_small_limit_refuses_a_batch_and_not_its_messages(kafka_server: Server, kafka: KafkaOut) -> None:
    topic = create_topic(kafka_server, **{"max.message.bytes": "5000"})
    messages = [OutMessage(topic=topic, value=bytes([n]) * 1000) for n in range(10)]
    messages.append(OutMessage(topic=topic, value=b"x" * 6000))

    results = kafka.publish(messages)

    assert [type(error) for error in results] == [type(None)] * 10 + [TooLarge]
    assert {m.value() for m in read(kafka_server.address, topic, 10)} == {m.value for m in messages[:10]}


@pytest.mark.slow
def test_a_topic_that_does_not_exist_is_named_and_takes_nothing_else_with_it(kafka: KafkaOut, topic: str) -> None:
    missing, fine = kafka.publish([OutMessage(topic="none-such", value=b"1"), OutMessage(topic=topic, value=b"2")])
    assert fine is None
    assert isinstance(missing, DependencyDown)
    assert "none-such" in str(missing)
    assert "lern topics create" in str(missing)
    kafka.ping()


@pytest.fixture
def fallible(own_kafka: OwnServer) -> Iterator[KafkaOut]:
    with client_of(own_kafka) as client:
        yield client


@pytest.mark.slow
def test_a_broker_that_stops_and_starts(own_kafka: OwnServer, fallible: KafkaOut) -> None:
    topic = create_topic(own_kafka)
    assert fallible.publish([OutMessage(topic=topic, value=b"before")]) == [None]

    own_kafka.stop()
    (error,) = fallible.publish([OutMessage(topic=topic, value=b"during")])
    assert isinstance(error, DependencyDown)
    with pytest.raises(DependencyDown):
        fallible.ping()

    own_kafka.start()
    fallible.ping()
    assert fallible.publish([OutMessage(topic=topic, value=b"after")]) == [None]
    assert [m.value() for m in read(own_kafka.address, topic, 2)] == [b"before", b"after"]


@pytest.mark.slow
def test_a_broker_that_freezes_with_the_message_in_its_hands(own_kafka: OwnServer, fallible: KafkaOut) -> None:
    topic = create_topic(own_kafka)
    assert fallible.publish([OutMessage(topic=topic, value=b"before")]) == [None]
    pid = own_kafka.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        (error,) = fallible.publish([OutMessage(topic=topic, value=b"during")])
        assert isinstance(error, DependencyDown)
    finally:
        os.kill(pid, signal.SIGCONT)

    # Whether the message was taken is unknown; what is published again is confirmed and is there.
    retried = OutMessage(topic=topic, value=b"again")
    assert None in [fallible.publish([retried])[0] for _ in range(2)]
    found = [m.value() for m in read(own_kafka.address, topic, 2)]
    assert found[0] == b"before"
    assert found[1] in (b"during", b"again")
