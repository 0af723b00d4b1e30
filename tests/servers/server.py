"""What a test sees of a server, whether the tests started it or somebody else runs it."""

import socket
import time
from collections.abc import Callable
from typing import Protocol


class StackError(RuntimeError):
    """A server cannot be had: a program or its jars are missing, or it does not start. The message says what to do."""


class Server(Protocol):
    """A server that other tests use at the same time: only its address is a test's business.

    A test that stops, freezes or kills one takes one of its own (`OwnServer`, fixtures `own_kafka` and so on).
    """

    @property
    def address(self) -> str:
        """`127.0.0.1:port`; for Redis `redis://127.0.0.1:port`."""


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
