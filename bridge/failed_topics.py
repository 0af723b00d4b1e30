"""The failed topics of the routes: that they are there. See docs/architecture.md, "Bridge"."""

from collections.abc import Iterable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from bridge.kafka_errors import library_logger
from bridge.routes import Route
from lern_tasks.connections.kafka import client_config
from lern_tasks.logs import logger
from lern_tasks.settings import Settings

_TIMEOUT = 10.0
"""Seconds: of a Kafka that is away the consumers tell."""

_log = logger(__name__)


def name_missing(settings: Settings, routes: Iterable[Route]) -> None:
    """Log each failed topic that the brokers do not have; a consumer tells of the topic that it reads."""
    admin = AdminClient({**client_config(settings.kafka)}, logger=library_logger())
    try:
        there = admin.list_topics(timeout=_TIMEOUT).topics
    except KafkaException:
        return
    for topic in sorted({route.failed_topic for route in routes} - there.keys()):
        _log.error("topic_missing", topic=topic, todo="type `lern topics create`; its dead letters go round until then")
