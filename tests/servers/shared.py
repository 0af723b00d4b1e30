"""One Kafka and one Cassandra for the whole test run, however many test processes it has.

The process that controls the run owns them, since it outlives the others: they start when the first test anywhere asks,
and end with the run. A test process of pytest-xdist asks over a connection on 127.0.0.1: `<name>\\n` there, one JSON
object with `address` or `error` back.
"""

import json
import socket
import tempfile
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Lock, Thread

from tests.servers.process import OwnServer
from tests.servers.running import KINDS
from tests.servers.server import StackError


class SharedServers:
    """Starts each kind of server once, when it is first asked for; `close` ends them."""

    def __init__(self) -> None:
        self._servers: dict[str, OwnServer] = {}
        # One a kind: Kafka and Cassandra may start at the same time.
        self._locks = {name: Lock() for name in KINDS}
        self._cleanup = ExitStack()

    def address(self, name: str) -> str:
        """Return the address of the server `name` ("kafka", "cassandra"); raises StackError when it cannot be had."""
        with self._locks[name]:
            if name not in self._servers:
                made = tempfile.TemporaryDirectory(prefix="lern-stack-", ignore_cleanup_errors=True)
                directory = self._cleanup.enter_context(made)
                self._servers[name] = KINDS[name](Path(directory) / name)
            self._servers[name].start()
            return self._servers[name].address

    @cached_property
    def port(self) -> int:
        """Where the other processes ask; from the first look at it on they get an answer."""
        desk = _Desk(self)
        self._cleanup.callback(desk.close)
        return desk.port

    def close(self) -> None:
        """End everything, also what is just starting, and remove the data: nobody needs it, so no orderly stop."""
        with self._cleanup:
            for server in self._servers.values():
                server.kill()


def ask(port: int, name: str) -> str:
    """Return the address of `name` from the run's `SharedServers`; raises StackError when it cannot be had."""
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("r") as answer:
        connection.sendall(f"{name}\n".encode())
        reply = json.load(answer)
    if "error" in reply:
        raise StackError(reply["error"])
    return str(reply["address"])


class _Desk(ThreadingTCPServer):
    daemon_threads = True
    # Whoever still waits for a start when the run ends is gone by then.
    block_on_close = False

    def __init__(self, shared: SharedServers) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.shared = shared
        self.port = int(self.server_address[1])
        Thread(target=self.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Request(StreamRequestHandler):
    server: _Desk

    def handle(self) -> None:
        try:
            reply = {"address": self.server.shared.address(self.rfile.readline().decode().strip())}
        except StackError as error:
            reply = {"error": str(error)}
        self.wfile.write(json.dumps(reply).encode())
