"""Run one server as a child and end it when the tests that wanted it are gone, however they ended.

A process of its own, because nothing in the test process runs after its SIGKILL; and no Linux-only parent-death
signal, because that one follows the thread that started the server, and servers are started from short-lived threads.
Run as a script: `python guard.py <pid of the tests> <directory> <log file> <command>...`; prints the server's pid.
SIGTERM ends the server in order. When the tests are gone, the server is killed and its directory removed.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

# Seconds between two looks at the parent: what a killed test run leaves behind is gone this fast.
_LOOK_INTERVAL = 0.5
# Seconds that a server gets for an orderly end; Cassandra drains in about four on a busy machine.
_GRACE = 60.0


def main(argv: list[str]) -> int:
    """Start, watch, end; returns the server's exit code."""
    parent, directory, log_path, command = int(argv[1]), Path(argv[2]), argv[3], argv[4:]
    wake = _wake_on_signals()
    with Path(log_path).open("ab") as log:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    sys.stdout.write(f"{server.pid}\n")
    sys.stdout.flush()
    while server.poll() is None:
        if os.getppid() != parent:
            _remove(server, directory)
        elif _told_to_stop(wake):
            _stop(server)
    return server.returncode


def _wake_on_signals() -> int:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    return reading


def _told_to_stop(wake: int) -> bool:
    ready, _, _ = select.select([wake], [], [], _LOOK_INTERVAL)
    return bool(ready) and signal.SIGTERM in os.read(wake, 512)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(_GRACE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _remove(server: "subprocess.Popen[bytes]", directory: Path) -> None:
    server.kill()
    server.wait()
    shutil.rmtree(directory, ignore_errors=True)
    # The directory above holds those of the other servers: the last guard removes it.
    with contextlib.suppress(OSError):
        directory.parent.rmdir()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
