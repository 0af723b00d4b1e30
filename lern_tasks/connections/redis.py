"""Redis by role: one client for each server and database, opened at first use. See docs/architecture.md, "Stores"."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lern_tasks.catalogue import JobName, RedisRole
from lern_tasks.errors import DependencyDown, TransientError
from lern_tasks.settings import Settings

Client = Any
"""A `redis.Redis` that gives text. Its own types say "bytes or text", whatever was asked for."""

_CONNECT_TIMEOUT = 5.0
"""Seconds to connect: a server on the same network that takes longer is away."""

_HEALTH_CHECK = 25
"""Seconds of silence after which a connection is tested before use, below the usual 30 s of load balancers."""


def connect(url: str, *, timeout: float, tries: int = 1) -> Client:
    """A client of the server at `url`, not connected yet; seconds for one call, and how often one is tried."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=timeout,
        socket_connect_timeout=min(timeout, _CONNECT_TIMEOUT),
        health_check_interval=_HEALTH_CHECK,
        # What is late is not asked for again: the call would take twice as long.
        retry=Retry(NoBackoff(), tries - 1, supported_errors=(redis.ConnectionError,)),
    )


class RedisRoles:
    """The Redis clients of one process. Make it after a fork, never before."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients: dict[str, Client] = {}

    def client(self, role: RedisRole, job: JobName | None = None) -> Client:
        """The client of `role`, with what the documented keys of `job` override."""
        url = self._settings.redis_url(role, job)
        if url not in self._clients:
            # A second try: a connection that was closed meanwhile is made anew.
            self._clients[url] = connect(url, timeout=self._settings.redis.timeout, tries=2)
        return self._clients[url]

    def ping(self) -> None:
        """Ask each server in use for a sign of life. Raises DependencyDown."""
        with translated():
            for client in list(self._clients.values()) or [self.client("state")]:
                client.ping()

    def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()


_REFUSED = re.compile(
    r"^(?:.*caused error: )?(OOM|READONLY|MISCONF|LOADING|MASTERDOWN|CLUSTERDOWN|NOREPLICAS)\b", re.DOTALL
)
_REFUSALS = (
    redis.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.BusyLoadingError,
    redis.exceptions.MasterDownError,
)
"""Those of the codes that the library takes from the text: it has errors of their own for them."""


def refuses(error: BaseException | None) -> bool:
    """Whether the server answers and takes no writes at all: it is full, loading, or a replica after a failover."""
    if error is None:
        return False
    # kombu wraps what it meets while it connects.
    return isinstance(error, _REFUSALS) or bool(_REFUSED.search(str(error))) or refuses(error.__cause__)


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the Redis client as ours: no server, or one that refuses all writes, is an outage."""
    try:
        yield
    except redis.RedisError as error:
        if refuses(error):
            raise DependencyDown("redis", f"Redis refuses writes: {type(error).__name__}: {error}") from error
        if isinstance(error, redis.ConnectionError | redis.TimeoutError):
            raise DependencyDown("redis", f"Redis does not answer: {error}") from error
        if isinstance(error, redis.ResponseError):
            raise TransientError(f"Redis says: {error}", dependency="redis") from error
        raise
