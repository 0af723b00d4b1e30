"""Several servers at once, in one temporary directory."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.servers.cassandra import CassandraServer
from tests.servers.kafka import KafkaServer
from tests.servers.process import OwnServer
from tests.servers.redis import RedisServer
from tests.servers.server import StackError

# By the name that variables, fixtures and directories use.
KINDS: dict[str, type[OwnServer]] = {"kafka": KafkaServer, "cassandra": CassandraServer, "redis": RedisServer}


class Stack:
    """The servers that were asked for, by name and by address."""

    def __init__(self, servers: dict[str, OwnServer]) -> None:
        self.servers = servers

    @property
    def kafka(self) -> str:
        """`127.0.0.1:port`."""
        return self.server("kafka").address

    @property
    def cassandra(self) -> str:
        """`127.0.0.1:port`."""
        return self.server("cassandra").address

    @property
    def redis(self) -> str:
        """`redis://127.0.0.1:port`."""
        return self.server("redis").address

    def server(self, name: str) -> OwnServer:
        """Return the server object ("kafka", "cassandra", "redis"); raises StackError when it was not asked for."""
        if name not in self.servers:
            raise StackError(f"{name} was not asked for: running({name}=True)")
        return self.servers[name]


@contextmanager
def running(*, kafka: bool = False, cassandra: bool = False, redis: bool = False) -> Iterator[Stack]:
    """Start what is asked for, all at the same time; stop everything and remove the data at the end."""
    wanted = [name for name, asked in (("kafka", kafka), ("cassandra", cassandra), ("redis", redis)) if asked]
    with tempfile.TemporaryDirectory(prefix="lern-stack-", ignore_cleanup_errors=True) as directory:
        servers = {name: KINDS[name](Path(directory) / name) for name in wanted}
        with ThreadPoolExecutor(max_workers=len(KINDS)) as pool:
            try:
                list(pool.map(lambda server: server.start(), servers.values()))
                yield Stack(servers)
            finally:
                list(pool.map(lambda server: server.stop(), servers.values()))
