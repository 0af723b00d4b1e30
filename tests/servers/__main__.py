"""`python -m tests.servers`: all servers, their addresses as shell exports, until Ctrl-C or SIGTERM."""

import signal
import sys
from contextlib import suppress

from tests.servers.running import running


def main() -> None:
    """Start the servers, print `export LERN_TEST_...=...` lines, wait for a signal, stop the servers."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), running(kafka=True, cassandra=True, redis=True) as stack:
        for name, server in stack.servers.items():
            sys.stdout.write(f"export LERN_TEST_{name.upper()}={server.address}\n")
        sys.stdout.flush()
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
