from collections.abc import Iterator

import pytest

from lern_tasks.connections.kafka import KafkaOut
from lern_tasks.settings.shared import KafkaSettings
from tests.harness.mock_kafka import MockKafka, mock_kafka


@pytest.fixture
def cluster() -> Iterator[MockKafka]:
    with mock_kafka() as opened:
        yield opened


@pytest.fixture
def kafka(cluster: MockKafka) -> Iterator[KafkaOut]:
    client = KafkaOut(KafkaSettings(brokers=cluster.bootstrap, delivery_timeout=2))
    yield client
    client.close()
