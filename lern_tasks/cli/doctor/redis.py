"""Redis by role: reachable, and for those that must not forget, persistent and without eviction."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import redis
from kombu.exceptions import OperationalError

from bridge.publisher import bare_app
from lern_tasks.catalogue import RedisRole
from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, ok, problem, warning
from lern_tasks.cli.doctor.redis_uses import MUST_KEEP, Use, uses
from lern_tasks.cli.effective import masked
from lern_tasks.connections.redis import Client
from lern_tasks.connections.redis import connect as connect_to
from lern_tasks.settings import Settings
from lern_tasks.settings.redis_address import parsed

_TIMEOUT = 5.0
"""Seconds to connect and for each answer: a server that takes longer is away for the jobs too."""

_CLOCK_DIFFERENCE = 1.0
"""Seconds. Redis' clock gives the write timestamps of rows: one that is behind loses against older writes."""

_CLOCK_WHY = "Redis' clock orders the writes to Cassandra: of two writes the older one may stay"


def checks(settings: Settings, jobs: Jobs) -> list[Check]:
    """One check a role and server, so that one that is away does not hide the others."""
    return [
        Check(name=f"redis {use.role}", look=partial(_check, use), why=use.why, jobs=use.jobs)
        for use in uses(settings, jobs)
    ]


_LOST_IN_A_POWER_CUT = {"everysec": "the last second", "no": "up to half a minute"}
"""By the setting of appendfsync; `no` leaves it to Linux, which writes after 30 seconds."""


def connect(url: str) -> Client:
    """The jobs' own client, less patient."""
    return connect_to(url, timeout=_TIMEOUT)


def place(url: str) -> str:
    """Server and database, without the login."""
    address = parsed(url)
    return f"{address.server}/{address.db or 0}"


def _check(use: Use, settings: Settings) -> Iterator[Finding]:
    name, client = f"redis {use.role}", connect(use.url)
    try:
        client.ping()
        _ask_by_celery(use.role, settings)
    except (redis.RedisError, OperationalError, OSError) as error:
        result = f"{place(use.url)} does not answer: {type(error).__name__}: {masked(str(error))}"
        yield problem(name, result, f"start it, or correct {use.variable}")
        return
    else:
        yield ok(name, f"{place(use.url)} answers")
        if use.kept:
            yield from _persists(use, client)
            yield from _evicts(use, client)
        if use.role == "state":
            yield from _clock(client)
    finally:
        client.close()


def _ask_by_celery(role: RedisRole, settings: Settings) -> None:
    """Broker and results once more, as workers reach them: by Celery's own clients."""
    if role == "broker":
        limits = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT}
        with bare_app(settings).connection_for_read(transport_options=limits) as connection:
            connection.ensure_connection(max_retries=0)
    elif role == "results":
        bare_app(settings, with_results=True).backend.client.ping()


def _persists(use: Use, client: Client) -> Iterator[Finding]:
    name = f"redis {use.role}"
    aof = _ask(lambda: client.info("persistence")).get("aof_enabled")
    switch_on = f"{use.shell} CONFIG SET appendonly yes"
    if aof is None:
        yield ok(name, "the server does not tell whether it persists; make sure of appendonly yes")
    elif int(aof) and use.role == "broker" and (lost := _LOST_IN_A_POWER_CUT.get(_setting(client, "appendfsync"))):
        yield warning(name, f"a power cut loses {lost}", f"{use.shell} CONFIG SET appendfsync always")
    elif int(aof):
        yield ok(name, "persists (AOF)")
    elif use.role in MUST_KEEP:
        yield problem(name, "loses everything at a restart (no AOF)", switch_on)
    elif _setting(client, "save"):
        yield ok(name, "persists (snapshots)")
    else:
        yield warning(name, "loses everything at a restart (no AOF, no snapshots)", switch_on)


def _evicts(use: Use, client: Client) -> Iterator[Finding]:
    name = f"redis {use.role}"
    policy = _ask(lambda: client.info("memory")).get("maxmemory_policy") or _setting(client, "maxmemory-policy")
    if not policy:
        yield ok(name, "the server does not tell its eviction; make sure of maxmemory-policy noeviction")
    elif policy == "noeviction":
        yield ok(name, "evicts nothing")
    else:
        own = f"give this role a server of its own ({use.variable})"
        to_do = f"{use.shell} CONFIG SET maxmemory-policy noeviction, or {own}"
        yield problem(name, f"throws keys away when memory is short ({policy})", to_do)


def _clock(client: Client) -> Iterator[Finding]:
    before = time.time()
    answer = _ask(lambda: dict(zip(("seconds", "microseconds"), client.time(), strict=True)))
    if not answer:
        yield ok("clock redis", "the server does not tell its time")
        return
    now = (before + time.time()) / 2
    yield clock_finding("clock redis", int(answer["seconds"]) + int(answer["microseconds"]) / 1e6 - now)


def clock_finding(name: str, difference: float) -> Finding:
    """What a clock that is `difference` seconds ahead of this machine's means."""
    text = f"{difference:+.2f} s from this machine's"
    if abs(difference) <= _CLOCK_DIFFERENCE:
        return ok(name, text)
    return warning(name, text, "run NTP (chrony) on all machines", why=_CLOCK_WHY)


def _setting(client: Client, name: str) -> str:
    return str(_ask(lambda: client.config_get(name)).get(name, ""))


def _ask(question: Callable[[], Any]) -> dict[str, Any]:
    """The answer, empty when the server or its access rules refuse the command."""
    try:
        answer = question()
    except redis.ResponseError:
        return {}
    return answer if isinstance(answer, dict) else {}
