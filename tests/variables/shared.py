"""The variables of what all jobs share: Kafka, Redis and Cassandra. The looks open real clients."""

import socket
import threading
from typing import Any

from lern_tasks.connections.kafka import KafkaOut, OutMessage
from lern_tasks.connections.redis import RedisRoles
from lern_tasks.storage.cassandra.session import cluster
from tests.variables.case import Case
from tests.variables.environment import Stage
from tests.variables.observations import nothing

SOON = {"LERN_KAFKA__DELIVERY_TIMEOUT": "3"}
A_MOMENT = 2.0
"""Seconds: far more than 50 ms, far less than the usual 30 s."""


def publishes(stage: Stage) -> bool:
    """Whether a message comes through."""
    kafka = KafkaOut(stage.settings.kafka)
    try:
        return kafka.publish([OutMessage(topic="dev.telemetry.raw", value=b"{}")]) == [None]
    finally:
        kafka.close()


def gives_up(stage: Stage) -> bool:
    """Whether a call to a Redis that never answers ends in a moment."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        redis = stage.settings.redis.model_copy(update={"state": f"{url}/1"})
        client = RedisRoles(stage.settings.model_copy(update={"redis": redis})).client("state")
        call = threading.Thread(target=_refused, args=(client,))
        call.start()
        call.join(A_MOMENT)
        ended = not call.is_alive()
    call.join()
    client.close()
    return ended


def _refused(client: Any) -> None:
    try:
        client.ping()
    except Exception:
        return


def nodes(stage: Stage) -> list[tuple[str, int]]:
    """Where the driver looks for a cluster."""
    made = cluster(stage.settings.cassandra)
    made.shutdown()
    return [(node.address, node.port) for node in made.endpoints_resolved]


def balancing(stage: Stage) -> str:
    """How statements are spread over nodes."""
    made = cluster(stage.settings.cassandra)
    made.shutdown()
    return type(made.profile_manager.default.load_balancing_policy._child_policy).__name__


HERE = {"LERN_CASSANDRA__HOSTS": "10.0.0.1"}

CASES = [
    Case("kafka", "kafka.broker-servers", "$kafka", publishes, True, nothing, SOON),
    Case("redis", "redisdb.connection.timeout", "50", gives_up, True, nothing),
    Case(
        "cassandra", "lms-cassandra.host", "10.0.0.1,10.0.0.2", nodes, [("10.0.0.1", 9042), ("10.0.0.2", 9042)], nothing
    ),
    Case("cassandra", "lms-cassandra.port", "9043", nodes, [("10.0.0.1", 9043)], nothing, HERE),
    Case("cassandra", "lms-cassandra.isMultiDCEnabled", "true", balancing, "DCAwareRoundRobinPolicy", nothing),
]
