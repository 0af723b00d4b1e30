"""The breakers in Redis: the same on fakeredis and on a real server."""

import threading
from collections.abc import Iterator
from typing import Any

import fakeredis
import pytest
import redis

from lern_tasks.delivery.outages.breaker import Timing
from lern_tasks.delivery.outages.breakers import KEY, Breakers
from lern_tasks.errors import DependencyDown
from tests.harness.waiting import wait_until

TIMING = Timing(probe_min_ms=60_000, probe_max_ms=60_000, lease_ms=60_000)
QUICK = Timing(probe_min_ms=1, probe_max_ms=1, lease_ms=200)
NAME = "registry create"


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.stack)])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "fake":
        yield fakeredis.FakeRedis(decode_responses=True)
        return
    address = request.getfixturevalue("redis_server").address
    with redis.Redis.from_url(f"{address}/1", decode_responses=True) as real:
        real.delete(KEY)
        yield real
        real.delete(KEY)


def break_down(breakers: Breakers) -> None:
    for record in "abc":
        assert breakers.admit(NAME, record)
        breakers.failed(NAME, record, "503")


def test_all_processes_see_one_breaker(client: Any) -> None:
    here, there = Breakers(client, TIMING), Breakers(client, TIMING)
    break_down(here)
    assert there.rest(NAME)
    assert not there.admit(NAME, "d")
    assert there.admit("registry search", "d")
    assert list(there.out()) == [NAME]
    changed = there.succeeded(NAME, "d")
    assert changed is not None
    assert changed.before.is_open
    assert here.admit(NAME, "e")
    assert not here.out()


def test_of_many_processes_one_probes(client: Any) -> None:
    breakers = Breakers(client, Timing(probe_min_ms=1, probe_max_ms=1, lease_ms=60_000))
    break_down(breakers)
    wait_until(lambda: not breakers.rest(NAME), seconds=10, what="the time of a probe")
    admitted: list[str] = []
    together = threading.Barrier(8)

    def ask(record: str) -> None:
        together.wait()
        if breakers.admit(NAME, record):
            admitted.append(record)

    threads = [threading.Thread(target=ask, args=(f"r{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 1


def test_who_probes_and_dies_is_followed_by_another(client: Any) -> None:
    breakers = Breakers(client, QUICK)
    break_down(breakers)
    wait_until(lambda: breakers.admit(NAME, "dies"), seconds=10, what="a probe")
    wait_until(lambda: breakers.admit(NAME, "next"), seconds=10, what="the end of the lease")


@pytest.mark.parametrize("stored", ["", "{", '{"failing": 3}', "[]"])
def test_what_cannot_be_read_counts_as_nothing(client: Any, stored: str) -> None:
    client.hset(KEY, NAME, stored)
    breakers = Breakers(client, TIMING)
    assert breakers.admit(NAME, "a")
    assert breakers.failed(NAME, "a", "503") is not None
    assert client.hget(KEY, NAME) != stored


def test_a_redis_that_is_away_is_an_outage_of_its_own() -> None:
    server = fakeredis.FakeServer()
    breakers = Breakers(fakeredis.FakeRedis(server=server, decode_responses=True), TIMING)
    server.connected = False
    with pytest.raises(DependencyDown, match="Redis"):
        breakers.admit(NAME, "a")
