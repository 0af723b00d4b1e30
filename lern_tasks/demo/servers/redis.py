"""Redis for the demo and the tests: fakeredis as a TCP server on 127.0.0.1, in memory.

It has no INFO and no CONFIG. See docs/architecture.md, section "Embedded".
Run it with `python -m lern_tasks.demo.servers.redis`.
"""

import argparse
import threading
from typing import Self

from fakeredis import FakeServer

from lern_tasks.demo.servers.parent import (
    add_parent_argument,
    end_quietly_on_signals,
    serve_until_stopped,
    watch_parent,
)
from lern_tasks.demo.servers.redis_server import RedisTcpServer

# Commands and their errors as of this version, the oldest that Sunbird installations run.
_VERSION = (7, 0)
_POLL_SECONDS = 0.05


class Redis:
    """A server on threads of this process: `with Redis() as redis: ... redis.url`.

    It may be stopped and started again on the same port, with what it kept.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._memory = FakeServer(server_type="redis", version=_VERSION)
        self._running: tuple[RedisTcpServer, threading.Thread] | None = None
        self.port = port

    @property
    def url(self) -> str:
        """The address without a database, for example `redis://127.0.0.1:41233`."""
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        server = RedisTcpServer(self.port, self._memory)
        self.port = int(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), name="redis", daemon=True)
        thread.start()
        self._running = (server, thread)

    def stop(self) -> None:
        """Refuse connections and close the open ones. Does nothing when stopped."""
        if self._running is None:
            return
        (server, thread), self._running = self._running, None
        server.shutdown()
        server.server_close()
        server.sever()
        thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()


def main() -> None:
    """Serve in a process of its own and report `{"url": "redis://127.0.0.1:port"}`; see `--help`."""
    parser = argparse.ArgumentParser(prog="python -m lern_tasks.demo.servers.redis", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: chosen by the system")
    add_parent_argument(parser)
    options = parser.parse_args()
    watch_parent(options.parent_pid)
    end_quietly_on_signals()
    redis = Redis(port=options.port)
    redis.start()
    serve_until_stopped({"url": redis.url}, redis.stop)


if __name__ == "__main__":
    main()
