"""Every connection to Redis, whoever opens it, gives up on a server that takes it and never answers."""

from typing import Any, get_args

from bridge.publisher import Broker, bare_app
from lern_tasks.catalogue import RedisRole
from lern_tasks.cli.doctor import redis as doctor
from lern_tasks.connections.redis import RedisRoles
from lern_tasks.settings import Settings
from lern_tasks.settings.celery_layers import read
from tests.bridge.doubles import ROUTE

LONGEST = 30.0
"""Seconds of one call: what `redisdb.connection.timeout` is by default."""


def test_every_role_bridge_and_doctor() -> None:
    roles = RedisRoles(Settings())
    clients: list[Any] = [roles.client(role) for role in get_args(RedisRole)]
    clients += [Broker(ROUTE, Settings())._redis, doctor.connect("redis://localhost")]
    for client in clients:
        pool = client.connection_pool.connection_kwargs
        assert 0 < pool["socket_timeout"] <= LONGEST
        assert 0 < pool["socket_connect_timeout"] <= LONGEST


def test_celerys_broker_and_results() -> None:
    values = read(Settings()).values
    options = values["broker_transport_options"]
    assert 0 < options["socket_timeout"] <= 5
    assert 0 < options["socket_connect_timeout"] <= 5
    # Two looks, a turn of the timer, and the reconnection: a cut is found within 30 s.
    assert options["health_check_interval"] <= 10
    app = bare_app(Settings(), with_results=True)
    assert 0 < app.backend.connparams["socket_timeout"] <= LONGEST
    assert 0 < app.backend.connparams["socket_connect_timeout"] <= LONGEST
