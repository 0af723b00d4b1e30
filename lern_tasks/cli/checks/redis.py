"""Redis by role: reachable, and for those that must not forget, persistent and without eviction."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import redis

from lern_tasks.cli.checks.finding import Check, Finding, ok, problem, warning
from lern_tasks.settings import RedisRole, Settings
from lern_tasks.topics import JobName

_ROLES: tuple[tuple[RedisRole, JobName | None], ...] = (
    ("broker", None),
    ("results", None),
    ("state", None),
    ("relation_cache", "relation_cache_updater"),
    ("units", "relation_cache_updater"),
    ("metadata", None),
    ("collection", None),
    ("dedup", "activity_aggregate_updater"),
)

_MUST_KEEP: tuple[RedisRole, ...] = ("broker", "state", "dedup")
"""What is lost here is a task, a registry intent, a count."""

_TIMEOUT = 5.0
"""Seconds to connect and for each answer: a server that takes longer is away for the jobs too."""

_CLOCK_DIFFERENCE = 1.0
"""Seconds. Redis' clock gives the write timestamps of rows: one that is behind loses against older writes."""


def checks() -> list[tuple[str, Check]]:
    """One check a role, so that one server that is away does not hide the others."""
    return [(f"redis {role}", partial(_check, role, job)) for role, job in _ROLES]


def _check(role: RedisRole, job: JobName | None, settings: Settings) -> Iterator[Finding]:
    name, url = f"redis {role}", settings.redis_url(role, job)
    parts = urlsplit(url)
    where = f"{parts.hostname}:{parts.port or 6379}{parts.path}"
    client = redis.Redis.from_url(url, decode_responses=True, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT)
    try:
        client.ping()
    except redis.RedisError as error:
        variable = f"LERN_REDIS__{role.upper()} or LERN_REDIS__URL"
        yield problem(name, f"{where} does not answer: {type(error).__name__}", f"start it, or correct {variable}")
        return
    try:
        yield ok(name, f"{where} answers")
        if role in _MUST_KEEP:
            yield from _keeps(name, client, always=role == "broker")
        if role == "state":
            yield from _clock(client)
    finally:
        client.close()


def _keeps(name: str, client: "redis.Redis", *, always: bool) -> Iterator[Finding]:
    persistence = _ask(lambda: client.info("persistence"))
    aof = persistence.get("aof_enabled")
    if aof is None:
        yield ok(name, "the server does not tell whether it persists; make sure of appendonly yes")
    elif not int(aof):
        yield problem(name, "loses everything at a restart (no AOF)", "redis-cli CONFIG SET appendonly yes")
    elif always and _setting(client, "appendfsync") not in ("always", ""):
        yield warning(name, "a power cut loses the last second", "redis-cli CONFIG SET appendfsync always")
    else:
        yield ok(name, "persists (AOF)")
    policy = _ask(lambda: client.info("memory")).get("maxmemory_policy") or _setting(client, "maxmemory-policy")
    if not policy:
        yield ok(name, "the server does not tell its eviction; make sure of maxmemory-policy noeviction")
    elif policy != "noeviction":
        to_do = "redis-cli CONFIG SET maxmemory-policy noeviction, or give this role a server of its own"
        yield problem(name, f"throws keys away when memory is short ({policy})", to_do)
    else:
        yield ok(name, "evicts nothing")


def _clock(client: "redis.Redis") -> Iterator[Finding]:
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
    return warning(name, text, "run NTP (chrony) on all machines: Redis' clock orders the writes to Cassandra")


def _setting(client: "redis.Redis", name: str) -> str:
    return str(_ask(lambda: client.config_get(name)).get(name, ""))


def _ask(question: Callable[[], Any]) -> dict[str, Any]:
    """The answer, empty when the server or its access rules refuse the command."""
    try:
        answer = question()
    except redis.ResponseError:
        return {}
    return answer if isinstance(answer, dict) else {}
