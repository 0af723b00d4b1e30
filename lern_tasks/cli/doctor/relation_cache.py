"""Whether the relation cache is read where it is written."""

import socket
from collections.abc import Iterator
from functools import partial

from redis.exceptions import RedisError

from lern_tasks.catalogue import EventJob
from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, ok, problem
from lern_tasks.cli.doctor.redis import connect, place
from lern_tasks.cli.doctor.redis_uses import address
from lern_tasks.settings import Settings

_USERS: Jobs = (
    "relation_cache_updater",
    "activity_aggregate_updater",
    "assessment_aggregator",
    "enrolment_reconciliation",
)
"""The job that writes it, and those that read it."""

_WHY = "a course whose relations are not found has no leaf nodes: its events wait or are judged wrongly"


def checks(settings: Settings, jobs: Jobs) -> list[Check]:
    """Each job beside the updater; without it beside the first of them: where a Flink job writes is not known here."""
    users = [job for job in _USERS if job in jobs]
    if settings.assessment_aggregator.leaf_check == "off" and "assessment_aggregator" in users:
        users.remove("assessment_aggregator")
    return [
        Check(name="relation cache", look=partial(_check, users[0], job), why=_WHY, jobs=(job,)) for job in users[1:]
    ]


def _check(first: EventJob, job: EventJob, settings: Settings) -> Iterator[Finding]:
    there, here = settings.redis_url("relation_cache", first), settings.redis_url("relation_cache", job)
    if same_place(there, here):
        yield ok("relation cache", f"at {place(here)}, as for {first}")
        return
    key = "REDIS_DATABASE_INDEX" if first == "relation_cache_updater" else "REDIS_DATABASE_RELATIONCACHE_ID"
    yield problem(
        "relation cache",
        f"read at {place(here)}, and {place(there)} is that of {first}",
        f"set LERN_{job.upper()}__REDIS_DATABASE_RELATIONCACHE_ID and LERN_{first.upper()}__{key} alike",
    )


def same_place(one: str, other: str) -> bool:
    """Whether two URLs lead to one database, however they are spelt, or to copies of it."""
    if place(one) == place(other):
        return True
    if address(one).get("db", 0) != address(other).get("db", 0):
        return False
    history = _history(one)
    return bool(history and history == _history(other)) or bool(_addresses(one) & _addresses(other))


def _history(url: str) -> str:
    """What a server and its replicas have in common; empty when it does not tell."""
    client = connect(url)
    try:
        return str(client.info("replication").get("master_replid", ""))
    except RedisError:
        return ""
    finally:
        client.close()


def _addresses(url: str) -> set[tuple[object, ...]]:
    parts = address(url)
    if parts.get("path"):
        return set()
    try:
        found = socket.getaddrinfo(parts.get("host", "localhost"), parts.get("port", 6379), type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {address[:2] for *_, address in found}
