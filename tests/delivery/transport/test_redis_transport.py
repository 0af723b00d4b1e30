"""Taking a message from the task broker: it is always in the queue, claimed, or noted down as unacknowledged."""

import select
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty
from typing import Any

import pytest
import redis
from kombu import connection, entity, messaging

from lern_tasks.delivery.transport import redis_transport as broker
from lern_tasks.delivery.transport.redis_transport import CLAIM_TIMES, CLAIMS, Transport
from lern_tasks.demo.servers.redis import Redis
from tests.harness.waiting import wait_until
from tests.servers.server import Server

QUEUE = "q"

# Without types.
Connection: Any = connection.Connection
Consumer: Any = messaging.Consumer
Queue: Any = entity.Queue


class Broker:
    """A Redis with one queue, and connections to it as workers have them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = redis.Redis.from_url(url, decode_responses=True)
        self.connections: list[Any] = []

    def consumer(self, taken: list[str], visibility: float = 3600, *, default: bool = False) -> Any:
        """A channel (the connection's default one, or another) whose messages go to `taken`, unacknowledged."""
        options = {"visibility_timeout": visibility, "priority_steps": [0]}
        opened = Connection(self.url, transport=Transport, transport_options=options)
        self.connections.append(opened)
        channel = opened.default_channel if default else opened.channel()
        consumer = Consumer(channel, [Queue(QUEUE)], accept=["json"], on_message=lambda m: taken.append(m.payload))
        consumer.consume()
        channel.test_consumer = consumer
        return channel

    def send(self, body: str) -> None:
        """Put a message into the queue."""
        with Connection(self.url) as opened:
            opened.Producer().publish(body, routing_key=QUEUE, serializer="json")

    def places(self) -> tuple[int, int, int]:
        """Messages in the queue, claimed, and unacknowledged."""
        client: Any = self.client
        assert client.hlen(CLAIMS) == client.zcard(CLAIM_TIMES)
        return client.llen(QUEUE), client.hlen(CLAIMS), client.hlen("unacked")


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    with Redis() as server:
        made = Broker(f"{server.url}/0")
        monkeypatch.setenv("LERN_REDIS__URL", server.url)
        yield made
        for each in made.connections:
            each.release()
        made.client.close()


def ask(channel: Any) -> None:
    """Send the question for a message and wait until its answer is there, unread."""
    channel.client.connection = channel.client.connection or channel.client.connection_pool.get_connection()
    channel._brpop_start()
    assert select.select([channel.client.connection._sock], [], [], 10)[0]


def test_a_message_moves_from_the_queue_to_a_claim_to_the_unacknowledged(queue: Broker) -> None:
    taken: list[str] = []
    channel = queue.consumer(taken)
    queue.send("a")
    assert queue.places() == (1, 0, 0)
    ask(channel)
    assert queue.places() == (0, 1, 0)
    channel._brpop_read()
    assert taken == ["a"]
    assert queue.places() == (0, 0, 1)


def test_what_a_dead_worker_had_only_just_taken_is_given_back(queue: Broker) -> None:
    queue.send("a")
    ask(queue.consumer([]))
    taken: list[str] = []
    patient, other = queue.consumer([], visibility=3600), queue.consumer(taken, visibility=0)
    patient.qos.restore_visible(interval=1)
    assert queue.places() == (0, 1, 0)
    other.qos.restore_visible(interval=1)
    assert queue.places() == (1, 0, 0)
    ask(other)
    other._brpop_read()
    assert taken == ["a"]


def test_what_a_cut_connection_kept_is_given_back_by_its_living_owner(
    queue: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is lost on its way, with the message in it; its claim would be held until the visibility timeout."""
    monkeypatch.setattr(broker, "_LOST_AFTER", 0.0)
    taken: list[str] = []
    cut = queue.consumer(taken)
    queue.send("kept")
    cut.client.connection = cut.client.connection_pool.get_connection()
    cut._brpop_start()
    wait_until(lambda: queue.places() == (0, 1, 0), seconds=10, what="the claim")
    cut.client.connection.disconnect()
    queue.consumer(taken).qos.restore_visible()
    assert queue.places() == (1, 0, 0)
    assert taken == []


def test_an_empty_queue_is_not_asked_again_at_once(queue: Broker) -> None:
    channel = queue.consumer([])
    ask(channel)
    with pytest.raises(Empty):
        channel._brpop_read()
    channel._brpop_start()
    assert not channel._in_poll
    assert queue.places() == (0, 0, 0)


@pytest.mark.parametrize(
    "raw", [b"no JSON", b"\xff", b"[]", b'{"properties": {}}', b'{"properties": {"delivery_info": {}}}']
)
def test_what_cannot_be_delivered_is_parked_and_stops_nothing(
    queue: Broker, raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    parked: list[bytes] = []
    monkeypatch.setattr(broker, "park", lambda _client, message, _reason: parked.append(message.body))
    taken: list[str] = []
    channel = queue.consumer(taken)
    queue.client.lpush(QUEUE, raw)
    queue.send("a")
    for _ in range(2):
        ask(channel)
        channel._brpop_read()
    assert (parked, taken) == ([raw], ["a"])
    assert queue.places() == (0, 0, 1)


def test_a_worker_survives_a_redis_that_goes_away_under_an_unacknowledged_message() -> None:
    """celery closes its connection twice; the second time kombu no longer knows where the broker is."""
    with Redis() as server:
        gone = Broker(f"{server.url}/0")
        default = gone.consumer([], default=True)
        gone.send("a")
        ask(default)
        default._brpop_read()
        other = default.connection.create_channel(default.connection)
        other.client.connection = other.client.connection_pool.get_connection()
    gone.client.close()
    (opened,) = gone.connections
    # Both were asking; the channel that is closed first fails, so that the other is closed only the second time.
    for channel in (default, other):
        channel._in_poll = channel.client.connection
    with suppress(redis.ConnectionError):
        opened.collect(socket_timeout=1)
    opened.close()
    assert default.closed


@pytest.mark.stack
def test_a_redis_that_refuses_writes_loses_nothing(redis_server: Server) -> None:
    """Full: the note cannot be written, so the message stays where it is."""
    full = Broker(f"{redis_server.address}/3")
    client: Any = full.client
    client.flushdb()
    taken: list[str] = []
    channel = full.consumer(taken)
    full.send("a")
    client.config_set("maxmemory", "1")
    try:
        ask(channel)
        with pytest.raises(Empty):
            channel._brpop_read()
        assert full.places() == (1, 0, 0)
    finally:
        client.config_set("maxmemory", "0")
    channel._next_look = 0.0
    ask(channel)
    channel._brpop_read()
    assert taken == ["a"]
    for each in full.connections:
        each.release()
    client.close()
