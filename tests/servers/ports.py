"""Free ports that stay free while their server is down."""

import random
import socket

from tests.servers.server import StackError

# Below the range that Linux (32768 up) and macOS (49152 up) give to outgoing connections. A port of that range may be
# taken by any client while its server is down for a restart, even by a client that tries to reach this very server.
_LOWEST, _HIGHEST = 20000, 32000
_TRIES = 200


def free_ports(count: int) -> list[int]:
    """Return `count` different ports of 127.0.0.1 that nobody listens on; raises StackError when there are none."""
    found: list[int] = []
    # Not the seeded generator: pytest-randomly seeds it, and two test runs side by side would try the same ports.
    source = random.SystemRandom()
    for _ in range(_TRIES):
        port = source.randint(_LOWEST, _HIGHEST)
        if port not in found and _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise StackError(f"no {count} free ports between {_LOWEST} and {_HIGHEST} on 127.0.0.1")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
