"""`lern demo` as a process, and what is left of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.harness.waiting import wait_until

SECONDS = 240.0
"""For one demo: five seconds on a free machine, many more beside other tests."""


_MARK = "DEMO_OF_TEST"
"""A variable that every process of a demo inherits, by which they are found."""


def start(
    *options: str, temporary: Path, arguments: Sequence[str] = (), env: dict[str, str] | None = None
) -> "subprocess.Popen[str]":
    """`lern demo` with `temporary` as its temporary directory and working directory, without a terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LERN_")}
    command = [*arguments, sys.executable, "-m", "lern_tasks.cli", "demo", *options]
    return subprocess.Popen(
        command,
        cwd=temporary,
        env={**kept, "TMPDIR": str(temporary), _MARK: str(temporary), **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """Standard output and error of a demo that ends by itself; kills it when it does not."""
    try:
        return process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        raise


def processes_of(temporary: Path) -> list[str]:
    """Command lines of the processes of the demo that was started with `temporary`."""
    found = []
    for directory in Path("/proc").iterdir():
        if not directory.name.isdecimal() or int(directory.name) == os.getpid():
            continue
        try:
            if f"{_MARK}={temporary}\0".encode() in (directory / "environ").read_bytes():
                found.append((directory / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def assert_nothing_left(temporary: Path) -> None:
    """No process and no file of a demo."""
    wait_until(lambda: not processes_of(temporary), seconds=10, what=f"no process left: {processes_of(temporary)}")
    wait_until(lambda: not list(temporary.iterdir()), seconds=10, what=f"{temporary} is empty")
