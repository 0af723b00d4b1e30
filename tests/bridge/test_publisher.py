"""Handing over to Redis: what a worker finds, how much waits, and what an outage looks like."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError

from bridge import publisher as module
from bridge.packing import PolledRecord, TaskMessage
from bridge.publisher import Broker, Unsendable
from lern_tasks.connections.redis import translated
from lern_tasks.delivery.record import Record
from lern_tasks.demo.servers.redis import Redis as EmbeddedRedis
from lern_tasks.errors import DependencyDown
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import RedisSettings
from tests.bridge.doubles import ROUTE, message, polled
from tests.bridge.process import waiting
from tests.servers.redis import RedisServer

LARGE = b"x" * 900_000


def _open(url: str) -> Broker:
    return Broker(ROUTE, Settings(redis=RedisSettings(broker=url)))


@pytest.fixture
def broker(broker_url: str) -> Iterator[Broker]:
    opened = _open(broker_url)
    yield opened
    opened.close()


def test_a_worker_finds_the_message_as_agreed(broker: Broker, broker_url: str) -> None:
    sent = message(polled(17, partition=3), polled(19, partition=3, key=b"u1"))

    broker.send(sent)

    (found,) = waiting(broker_url, ROUTE.queue)
    assert found.task == "lern.activity_aggregate_updater"
    assert UUID(found.task_id) == UUID(sent.task_id)
    assert found.records == [one.record for one in sent.polled]
    assert found.argsrepr == "activity_aggregate_updater 2 records p3 @17-19"
    assert found.headers["ignore_result"] is None, "the task decides about its result"


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{}",
        b"\xff\xfe\x00",
        '{"name": "आशा 🎓"}'.encode(),
        b'{"a": "\\u0000"}\x00',
        LARGE,
        b"\xff" * 900_000,
    ],
    ids=["tombstone", "empty", "json", "not utf-8", "other scripts", "control", "large", "large and not utf-8"],
)
def test_values_and_keys_pass_unchanged(broker: Broker, broker_url: str, value: bytes | None) -> None:
    broker.send(message(polled(0, value=value, key=value)))

    ((record,),) = [found.records for found in waiting(broker_url, ROUTE.queue)]
    assert record.raw() == value
    assert record.raw_key() == value


def test_payloads_are_in_no_header(broker: Broker, broker_url: str) -> None:
    broker.send(message(polled(0, value=b'{"phone": "9876543210"}')))

    (found,) = waiting(broker_url, ROUTE.queue)
    assert "9876543210" not in str(found.headers)


def test_depth_is_what_waits_and_what_workers_hold(broker: Broker, broker_url: str) -> None:
    assert broker.depth() == 0
    for offset in range(3):
        broker.send(message(polled(offset)))
    with Redis.from_url(broker_url) as client:
        client.hset("unacked", "tag", "message")
        client.lpush("another-queue", "message")

    assert broker.depth() == 4


def test_sending_leaves_nothing_but_the_queue(broker: Broker, broker_url: str) -> None:
    broker.send(message(polled(0)))

    with Redis.from_url(broker_url) as client:
        kept = {key.decode() for key in client.scan_iter()}
        assert {key for key in kept if not key.startswith("_kombu")} == {ROUTE.queue}
        assert client.pubsub_numpat() == 0


def test_an_outage_is_an_uncertain_delivery_and_the_next_one_connects_again(embedded_redis: EmbeddedRedis) -> None:
    broker = _open(f"{embedded_redis.url}/0")
    broker.send(message(polled(0)))

    embedded_redis.stop()
    for call in (lambda: broker.send(message(polled(1))), broker.depth, broker.check_writable):
        with pytest.raises(DependencyDown) as raised:
            call()
        assert raised.value.name == "broker"

    embedded_redis.start()
    broker.check_writable()
    broker.send(message(polled(1)))
    assert broker.depth() == 2
    broker.close()


def test_a_broker_that_accepts_and_never_answers_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker = _open(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        started = time.monotonic()

        for call in (lambda: broker.send(message(polled(0))), broker.depth, broker.check_writable):
            with pytest.raises(DependencyDown):
                call()

        assert time.monotonic() - started < 5
        broker.close()


def test_a_full_broker_is_away(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object, **_options: object) -> None:
        raise OutOfMemoryError("command not allowed when used memory > 'maxmemory'")

    monkeypatch.setattr(broker._redis, "set", full)

    with pytest.raises(DependencyDown, match="OutOfMemoryError"):
        broker.check_writable()


def test_what_cannot_be_serialised_is_never_tried_again(broker: Broker) -> None:
    record = Record(value=object(), topic=ROUTE.topic, partition=0, offset=0)  # type: ignore[arg-type]

    with pytest.raises(Unsendable, match="serialised"):
        broker.send(TaskMessage(ROUTE, (PolledRecord(partition=0, offset=0, size=1, record=record),)))


def _fails(broker: Broker, sent: TaskMessage) -> type[Exception]:
    with pytest.raises((DependencyDown, Unsendable)) as raised:
        broker.send(sent)
    return raised.type


def test_a_small_message_is_never_given_up(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_publish", _connection_lost)

    assert {_fails(broker, message(polled(0))) for _ in range(10)} == {DependencyDown}


def test_a_large_message_is_given_up_after_three_failures(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_publish", _connection_lost)
    packed = message(polled(0, value=LARGE), polled(1))
    single = message(polled(0, value=LARGE))

    assert [_fails(broker, packed) for _ in range(4)] == [DependencyDown] * 3 + [Unsendable]
    assert [_fails(broker, single) for _ in range(4)] == [DependencyDown] * 3 + [Unsendable]


@pytest.mark.parametrize("code", ["READONLY", "OOM", "MISCONF", "LOADING", "MASTERDOWN", "NOREPLICAS"])
def test_what_a_refusing_redis_does_not_take_is_never_given_up(code: str) -> None:
    """Over a socket, so that the library makes of the answer what it makes of a server's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_refuse, args=(listener, f"-{code} not now\r\n".encode()), daemon=True).start()
        broker = _open(f"redis://127.0.0.1:{listener.getsockname()[1]}/0")
        large = message(polled(0, value=LARGE))
        assert {_fails(broker, large) for _ in range(5)} == {DependencyDown}
        for call in (broker.depth, broker.check_writable):
            with pytest.raises(DependencyDown):
                call()
        with pytest.raises(DependencyDown, match="refuses writes"), translated():
            broker._redis.set("key", "value")
        broker.close()


def _refuse(listener: socket.socket, answer: bytes) -> None:
    """Answer the first command of each connection so."""
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client:
                client.recv(65_536)
                client.sendall(answer)


def test_failures_are_forgotten_once_a_later_message_was_taken(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(broker, "_publish", _connection_lost)
        for _ in range(3):
            _fails(broker, message(polled(0, value=LARGE)))

    broker.send(message(polled(1)))
    broker.send(message(polled(0, value=LARGE)))


def _connection_lost(_message: TaskMessage) -> None:
    raise ConnectionResetError("connection lost")


class SmallRedis(RedisServer):
    """A Redis that takes no string above 1 MiB, the lowest limit it knows."""

    def _command(self) -> list[str]:
        return [*super()._command(), "--proto-max-bulk-len", "1mb"]


@pytest.mark.stack
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs Debian's package redis-server")
def test_a_real_redis_that_refuses_a_large_message_goes_on_taking_small_ones(tmp_path: Path) -> None:
    server = SmallRedis(tmp_path / "redis")
    server.start()
    try:
        broker = _open(f"{server.address}/0")
        large = message(polled(0, value=LARGE))

        for _ in range(3):
            assert _fails(broker, large) is DependencyDown
            broker.check_writable()
        assert _fails(broker, large) is Unsendable

        broker.send(message(polled(1)))
        assert [found.records[0].offset for found in waiting(f"{server.address}/0", ROUTE.queue)] == [1]
        broker.close()
    finally:
        server.stop()
