"""What a test sees of a server, whether the tests started it or somebody else runs it."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class StackError(RuntimeError):
    """A server cannot be had: a program or its jars are missing, or it does not start. The message says what to do."""


class Server(Protocol):
    """A server with its address; `start` and `restart` keep port and data, so clients find it again after an outage."""

    @property
    def address(self) -> str:
        """`127.0.0.1:port`; for Redis `redis://127.0.0.1:port`."""

    @property
    def pid(self) -> int:
        """Process id of the server itself; raises StackError when it does not run."""

    @property
    def log_path(self) -> Path:
        """File with everything that the server prints, kept over restarts."""

    def start(self) -> None:
        """Start it and wait until it answers; no effect when it runs. Raises StackError with the log's end."""

    def stop(self) -> None:
        """End it in order (SIGTERM) and wait; no effect if it does not run. Raises StackError if it must be killed."""

    def kill(self) -> None:
        """End it as a crash does (SIGKILL) and wait for its end; no effect when it does not run."""

    def restart(self) -> None:
        """Stop, then start."""


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Return as soon as `condition` holds; raises StackError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StackError(f"{what}: not within {seconds:g} s")
        # 50 ms: small against the fastest start (Redis) and cheap against the slowest (Cassandra).
        time.sleep(0.05)


def accepts(port: int) -> bool:
    """Whether something listens on this port of 127.0.0.1: asked before a client library does so at more cost."""
    try:
        # One second: on loopback a connection is accepted or refused at once, unless the backlog is full.
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
