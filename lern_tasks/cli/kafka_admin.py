"""What the commands ask of Kafka's brokers. See docs/operations.md, "When something fails"."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]

from lern_tasks.connections.kafka import client_config
from lern_tasks.errors import DependencyDown
from lern_tasks.settings import Settings

TIMEOUT = 10.0
"""Seconds for one question; a broker that is up answers in milliseconds, and one reconnect takes two seconds."""

_CONFIGURATION_TIMEOUT = 5.0
"""Seconds for the configuration, which some brokers refuse by not answering."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTopic:
    """A topic of the brokers; `retention_ms` is None when it was not asked for or the broker does not tell."""

    partitions: int
    retention_ms: int | None = None


def client(settings: Settings) -> AdminClient:
    """An admin client."""
    return AdminClient({**client_config(settings.kafka)}, logger=_LOG)


def reader(settings: Settings, group: str) -> Consumer:
    """A consumer that neither joins nor commits by itself."""
    own = {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        # A topic that is looked at must not come into being by that.
        "allow.auto.create.topics": False,
        "error_cb": _log_error,
    }
    return Consumer({**client_config(settings.kafka), **settings.kafka.consumer_properties, **own}, logger=_LOG)


def topics(settings: Settings, *, configurations: Sequence[str] = ()) -> dict[str, FoundTopic]:
    """The topics by name; of those in `configurations` also the retention. Raises DependencyDown("kafka")."""
    admin = client(settings)
    try:
        found = admin.list_topics(timeout=TIMEOUT).topics
    except KafkaException as error:
        raise down(settings, error) from error
    retentions = _retentions(admin, [name for name in configurations if name in found])
    return {
        name: FoundTopic(partitions=len(topic.partitions), retention_ms=retentions.get(name))
        for name, topic in found.items()
        if topic.error is None
    }


def down(settings: Settings, error: KafkaException) -> DependencyDown:
    """The outage, with the address that was tried."""
    return DependencyDown("kafka", f"Kafka at {settings.kafka.brokers} does not answer: {error.args[0].str()}")


def _retentions(admin: AdminClient, names: Sequence[str]) -> dict[str, int]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    retentions: dict[str, int] = {}
    for resource, answer in admin.describe_configs(resources, request_timeout=_CONFIGURATION_TIMEOUT).items():
        try:
            retentions[resource.name] = int(answer.result(_CONFIGURATION_TIMEOUT + 1)["retention.ms"].value)
        except (KafkaException, TimeoutError, KeyError) as error:
            # Not being told is a result, not an error: many brokers give no rights to ask.
            _LOG.debug("retention of %s: %s", resource.name, type(error).__name__)
    return retentions


def _log_error(error: object) -> None:
    _LOG.debug("kafka: %s", error)
