"""Redis: the `redis-server` of the machine; what it acknowledged outlives its process."""

import shutil
from pathlib import Path
from typing import ClassVar

import redis

from tests.servers.ports import free_ports
from tests.servers.process import OwnServer
from tests.servers.server import StackError, accepts


class RedisServer(OwnServer):
    """One Redis with the usual 16 databases; append-only file, `noeviction`.

    Args:
        directory: of its data.
        appendfsync: "no" has each write in the operating system's hands before it is acknowledged, which is all that
            the death of a process asks for; "always" has it on disk, as an installation should, and costs each test
            about a millisecond a call.
    """

    name: ClassVar[str] = "redis"
    # Starts in 0.1 s; the rest is for a busy machine and a long append-only file.
    start_seconds: ClassVar[float] = 30

    def __init__(self, directory: Path, *, appendfsync: str = "no", **options: str) -> None:
        super().__init__(directory)
        self._options = {"appendfsync": appendfsync, **options}
        (self._port,) = free_ports(1)

    @property
    def address(self) -> str:
        """`redis://127.0.0.1:port`, without a database."""
        return f"redis://127.0.0.1:{self._port}"

    def _prepare(self) -> None:
        """Nothing: its settings are on the command line."""

    def _command(self) -> list[str]:
        program = shutil.which("redis-server")
        if program is None:
            raise StackError("no `redis-server` on the path: install Debian's package redis-server")
        options = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "dir": str(self._directory),
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
            "save": "",
            **self._options,
        }
        return [program, *(part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value))]

    def _is_ready(self) -> bool:
        if not accepts(self._port):
            return False
        with redis.Redis(port=self._port, socket_timeout=5) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False
