"""What Celery, locks and caches need of Redis, through a real socket."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError

from lern_tasks.demo.servers.redis import Redis

DATABASES = (0, 1, 5, 10, 12, 13)


@pytest.fixture
def server() -> Iterator[Redis]:
    with Redis() as running:
        yield running


@pytest.fixture
def connection(server: Redis) -> Iterator[Any]:
    with redis.Redis.from_url(server.url) as opened:
        yield opened


def test_scripts_see_the_time_and_write(connection: Any) -> None:
    seconds = int(connection.eval("return redis.call('TIME')[1]", 0))
    assert abs(seconds - time.time()) < 60
    lock = connection.register_script("return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])")
    assert lock(keys=["lock"], args=["owner", 60_000]) == b"OK"
    assert lock(keys=["lock"], args=["other", 60_000]) is None
    assert 0 < connection.pttl("lock") <= 60_000


def test_an_error_leaves_the_rest_of_a_pipeline_and_the_connection_alone(connection: Any) -> None:
    client_id = connection.client_id()
    pipeline = connection.pipeline(transaction=False)
    pipeline.set("k", "v").execute_command("EVALSHA", "0" * 40, 0)
    pipeline.get("k")
    stored, missing, read = pipeline.execute(raise_on_error=False)
    assert (stored, read) == (True, b"v")
    assert isinstance(missing, NoScriptError)
    assert connection.client_id() == client_id


def test_transactions_run_together(connection: Any) -> None:
    with connection.pipeline(transaction=True) as pipeline:
        pipeline.hset("h", "f", "1").sadd("s", "a", "b").zadd("z", {"m": 2})
        pipeline.zrangebyscore("z", 0, 5)
        assert pipeline.execute() == [1, 2, 1, [b"m"]]


def test_a_transaction_does_not_wait_for_an_acknowledgement(connection: Any) -> None:
    connection.ping()
    start = time.monotonic()
    for _ in range(50):
        with connection.pipeline(transaction=True) as pipeline:
            pipeline.set("k", "v").get("k")
            pipeline.execute()
    # With Nagle's algorithm each takes 40 ms or more: two seconds in all.
    assert time.monotonic() - start < 1.5


def test_keys_expire(connection: Any) -> None:
    assert connection.set("k", "v", nx=True, px=50)
    assert connection.set("k", "other", nx=True, px=50) is None
    deadline = time.monotonic() + 10
    while connection.get("k") is not None:
        assert time.monotonic() < deadline


def test_databases_are_apart(server: Redis) -> None:
    for number in DATABASES:
        with redis.Redis.from_url(f"{server.url}/{number}") as one:
            one.set("who", number)
    for number in DATABASES:
        with redis.Redis.from_url(f"{server.url}/{number}") as one:
            assert one.get("who") == str(number).encode()


def test_a_blocked_reader_gets_what_comes(server: Redis, connection: Any) -> None:
    got: list[object] = []

    def read() -> None:
        with redis.Redis.from_url(server.url) as other:
            got.append(other.brpop(["queue"], timeout=20))

    reader = threading.Thread(target=read)
    reader.start()
    connection.lpush("queue", "job")
    reader.join(20)
    assert [tuple(each) for each in got if isinstance(each, (list, tuple))] == [(b"queue", b"job")]


def test_a_reader_that_died_takes_nothing_with_it(server: Redis, connection: Any) -> None:
    dying = socket.create_connection(("127.0.0.1", server.port))
    dying.sendall(b"*3\r\n$5\r\nBRPOP\r\n$5\r\nqueue\r\n$2\r\n60\r\n")
    _wait_for_clients(connection, 2)
    dying.close()
    _wait_for_clients(connection, 1)
    connection.lpush("queue", "job")
    assert connection.llen("queue") == 1


def _wait_for_clients(connection: Any, number: int) -> None:
    deadline = time.monotonic() + 20
    while len([each for each in connection.client_list() if each["addr"] != "127.0.0.1:0"]) != number:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_subscribers_hear_of_publications(connection: Any) -> None:
    with connection.pubsub() as subscription:
        subscription.subscribe("channel")
        assert subscription.get_message(timeout=10) is not None
        assert connection.publish("channel", "news") == 1
        message = subscription.get_message(timeout=10)
    assert message is not None
    assert message["data"] == b"news"


def test_values_larger_than_a_socket_buffer(connection: Any) -> None:
    value = bytes(range(256)) * 40_000
    connection.set("large", value)
    assert connection.get("large") == value


def test_what_is_no_redis_protocol_is_answered_and_cut(server: Redis) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert stranger.recv(100).startswith(b"-ERR")
        assert stranger.recv(100) == b""


def test_a_restart_keeps_the_port_and_the_keys() -> None:
    server = Redis()
    with server, redis.Redis.from_url(server.url) as before:
        before.set("k", "v")
        port = server.port
        server.stop()
        with pytest.raises(RedisConnectionError):
            before.ping()
        server.start()
        assert server.port == port
        assert before.get("k") == b"v"
