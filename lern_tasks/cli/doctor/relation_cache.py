"""Whether the relation cache is read where it is written."""

import socket
from collections.abc import Iterator
from functools import partial

from redis.exceptions import RedisError

from lern_tasks.catalogue import ROWS, EventJob, RedisRole
from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, ok, problem
from lern_tasks.cli.doctor.redis import connect, place
from lern_tasks.cli.doctor.used import used
from lern_tasks.settings import Settings
from lern_tasks.settings.redis_address import parsed

_ROLE: RedisRole = "relation_cache"

_WHY = "a course whose relations are not found has no leaf nodes: its events wait or are judged wrongly"


def checks(settings: Settings, jobs: Jobs) -> list[Check]:
    """Each job beside the updater; without it beside the first of them: where a Flink job writes is not known here.

    The updater comes first in the table of jobs.
    """
    users = [job for job in jobs for use in ROWS[job].redis if use.role == _ROLE and used(settings, job, use.unless)]
    return [
        Check(name="relation cache", look=partial(_check, users[0], job), why=_WHY, jobs=(job,)) for job in users[1:]
    ]


def _check(first: EventJob, job: EventJob, settings: Settings) -> Iterator[Finding]:
    there, here = settings.redis_url(_ROLE, first), settings.redis_url(_ROLE, job)
    if same_place(there, here):
        yield ok("relation cache", f"at {place(here)}, as for {first}")
        return
    # The updater's own key has a name of its own.
    own = hasattr(settings.job(first), "redis_database_index")
    key = "REDIS_DATABASE_INDEX" if own else "REDIS_DATABASE_RELATIONCACHE_ID"
    yield problem(
        "relation cache",
        f"read at {place(here)}, and {place(there)} is that of {first}",
        f"set LERN_{job.upper()}__REDIS_DATABASE_RELATIONCACHE_ID and LERN_{first.upper()}__{key} alike",
    )


def same_place(one: str, other: str) -> bool:
    """Whether two URLs lead to one database, however they are spelt, or to copies of it."""
    if place(one) == place(other):
        return True
    if (parsed(one).db or 0) != (parsed(other).db or 0):
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
    address = parsed(url)
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {name[:2] for *_, name in found}
