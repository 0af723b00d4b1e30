import logging
import os
import time

import pytest
from confluent_kafka import KafkaError
from pydantic import SecretStr

from lern_tasks.connections.kafka import KafkaOut, OutMessage, TooLarge, client_config
from lern_tasks.errors import DependencyDown, LernError, SettingsError
from lern_tasks.settings.shared import KafkaSettings
from tests.harness.mock_kafka import MockKafka


def message(value: bytes | None = b"v", topic: str = "t", key: bytes | None = None) -> OutMessage:
    return OutMessage(topic=topic, value=value, key=key)


def is_kafka_down(error: LernError | None) -> bool:
    return isinstance(error, DependencyDown) and error.name == "kafka"


def test_confirms_what_the_broker_has_whole_and_in_order(cluster: MockKafka, kafka: KafkaOut) -> None:
    cluster.create("t")
    first = OutMessage(topic="t", value=b"\xff\x00", key=b"k\xfe", headers=(("b", b"1"), ("a", b"\xff"), ("b", b"2")))

    assert kafka.publish([first, message(None), message(b"")]) == [None, None, None]

    found = cluster.read("t", 3)
    assert found[0].value() == b"\xff\x00"
    assert found[0].key() == b"k\xfe"
    assert found[0].headers() == [("b", b"1"), ("a", b"\xff"), ("b", b"2")]
    assert [m.value() for m in found[1:]] == [None, b""]


def test_nothing_to_publish_needs_no_broker() -> None:
    assert KafkaOut(KafkaSettings(brokers="127.0.0.1:1")).publish([]) == []


def test_local_size_error_is_too_large_and_the_others_go_out(cluster: MockKafka) -> None:
    cluster.create("t")
    settings = KafkaSettings(brokers=cluster.bootstrap, properties={"message.max.bytes": "1000"})
    kafka = KafkaOut(settings)

    results = kafka.publish([message(b"a"), message(b"x" * 2000), message(b"b")])

    assert [type(r) for r in results] == [type(None), TooLarge, type(None)]
    assert "2000 bytes" in str(results[1])
    assert [m.value() for m in cluster.read("t", 2)] == [b"a", b"b"]
    kafka.close()


def test_the_broker_decides_on_messages_beyond_librdkafkas_default(cluster: MockKafka, kafka: KafkaOut) -> None:
    cluster.create("t")
    assert kafka.publish([message(b"x" * 1_200_000)]) == [None]


def test_size_error_of_a_batch_does_not_take_the_small_neighbours_with_it(cluster: MockKafka, kafka: KafkaOut) -> None:
    cluster.create("t")
    cluster.refuse_next(KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.MSG_SIZE_TOO_LARGE)

    results = kafka.publish([message(b"a"), message(b"b")])

    # The first answer refused both at once; the second the first of them alone.
    assert [type(r) for r in results] == [TooLarge, type(None)]
    assert [m.value() for m in cluster.read("t", 1)] == [b"b"]


def test_error_of_the_broker_that_passes_is_not_seen(cluster: MockKafka, kafka: KafkaOut) -> None:
    cluster.create("t")
    cluster.refuse_next(KafkaError.NOT_LEADER_FOR_PARTITION)
    assert kafka.publish([message()]) == [None]


def test_broker_away_is_an_outage_within_the_timeout_then_the_same_producer_recovers(
    cluster: MockKafka, kafka: KafkaOut
) -> None:
    cluster.create("t")
    assert kafka.publish([message(b"before")]) == [None]
    cluster.down()

    started = time.monotonic()
    results = kafka.publish([message(b"lost"), message(b"lost")])

    assert all(is_kafka_down(error) for error in results)
    assert time.monotonic() - started < 6
    with pytest.raises(DependencyDown):
        kafka.ping()

    cluster.up()
    kafka.ping()
    assert kafka.publish([message(b"after")]) == [None]
    assert [m.value() for m in cluster.read("t", 2)] == [b"before", b"after"]


def test_no_broker_at_all_is_an_outage() -> None:
    kafka = KafkaOut(KafkaSettings(brokers="127.0.0.1:1", delivery_timeout=1))
    assert is_kafka_down(kafka.publish([message()])[0])
    kafka.close()


def test_local_queue_full_is_waited_out(cluster: MockKafka) -> None:
    cluster.create("t")
    settings = KafkaSettings(brokers=cluster.bootstrap, properties={"queue.buffering.max.messages": "2"})
    kafka = KafkaOut(settings)
    assert kafka.publish([message(str(n).encode()) for n in range(9)]) == [None] * 9
    assert len(cluster.read("t", 9)) == 9
    kafka.close()


def test_fatal_error_makes_a_new_producer(cluster: MockKafka, kafka: KafkaOut) -> None:
    cluster.create("t")
    assert kafka.publish([message()]) == [None]
    cluster.refuse_next(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER)

    (lost,) = kafka.publish([message(b"lost")])
    assert is_kafka_down(lost)

    # The broken producer is known by the report of that message, or by its refusal of the next one.
    assert None in [kafka.publish([message(b"after")])[0] for _ in range(2)]
    assert [m.value() for m in cluster.read("t", 2)] == [b"v", b"after"]


def test_a_child_process_makes_its_own_producer(
    cluster: MockKafka, kafka: KafkaOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.create("t")
    kafka.publish([message()])
    mine = kafka._opened
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert kafka.publish([message()]) == [None]
    assert mine is not None
    assert kafka._opened is not None
    assert kafka._opened[1] is not mine[1]


def test_settings_that_librdkafka_refuses_are_a_settings_error() -> None:
    kafka = KafkaOut(KafkaSettings(properties={"no.such.property": "1"}))
    with pytest.raises(SettingsError, match=r"no\.such\.property"):
        kafka.publish([message()])


def test_the_configuration_has_security_when_set_and_properties_have_the_last_word() -> None:
    plain = client_config(KafkaSettings(brokers="a:1,b:2"))
    assert plain["bootstrap.servers"] == "a:1,b:2"
    assert plain["security.protocol"] == "PLAINTEXT"
    assert not [name for name in plain if name.startswith(("sasl", "ssl"))]

    secure = client_config(
        KafkaSettings(
            security_protocol="SASL_SSL",
            sasl_mechanism="PLAIN",
            sasl_username="u",
            sasl_password=SecretStr("p"),
            ssl_ca_location="/ca",
            properties={"security.protocol": "SASL_PLAINTEXT", "x": "y"},
        )
    )
    assert secure["sasl.password"] == "p"
    assert secure["ssl.ca.location"] == "/ca"
    assert secure["security.protocol"] == "SASL_PLAINTEXT"
    assert secure["x"] == "y"


def test_the_log_shows_no_value(cluster: MockKafka, kafka: KafkaOut, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    cluster.create("t")
    cluster.down()
    kafka.publish([message(b"Asha Rao", key=b"Asha Rao")])
    assert "Asha" not in caplog.text
