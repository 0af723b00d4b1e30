"""Dead letters of the bridge: on the route's failed topic, whole, confirmed."""

from dataclasses import replace

import pytest

from bridge.dead_letters import DeadLetters
from bridge.publisher import Unsendable
from lern_tasks.delivery.dead_letter import from_message
from lern_tasks.errors import LernError
from lern_tasks.metrics import value
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import KafkaSettings
from tests.bridge.doubles import ROUTE, polled
from tests.bridge.kafka import Kafka


def test_the_failed_topic_gets_the_value_untouched_and_the_reason(kafka: Kafka) -> None:
    route = kafka.route()
    kafka.create(route.failed_topic)
    record = replace(polled(17, partition=3, value=b"\xff\x00{", key=b"\xfe").record, topic=route.topic)
    dead_letters = DeadLetters(route, kafka.settings())
    before = value("records-dead", job=route.job)

    dead_letters.publish(record, Unsendable("the broker takes small writes but not this message of 3 bytes"))
    dead_letters.close()

    (letter,) = kafka.read(route.failed_topic, 1)
    found, failure = from_message(letter.headers() or [], letter.value(), letter.key())
    assert letter.value() == b"\xff\x00{"
    assert letter.key() == b"\xfe"
    assert (found.topic, found.partition, found.offset) == (route.topic, 3, 17)
    assert failure.job == route.job
    assert failure.code == "NOT_HANDED_OVER"
    assert "not this message" in failure.error
    assert value("records-dead", job=route.job) == before + 1


def test_without_a_confirmation_it_is_not_published() -> None:
    nowhere = Settings(kafka=KafkaSettings(brokers="127.0.0.1:1", delivery_timeout=1))
    dead_letters = DeadLetters(ROUTE, nowhere)
    before = value("records-dead", job=ROUTE.job)

    with pytest.raises(LernError, match="kafka"):
        dead_letters.publish(polled(17).record, Unsendable("too large"))

    dead_letters.close()
    assert value("records-dead", job=ROUTE.job) == before
