"""A child process of the embedded stack, in a session of its own. See docs/architecture.md, section "Embedded"."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

_POLL_SECONDS = 0.1

_START_SECONDS = 60.0
"""Until a service reports its address: about one second on a free machine, much longer on a busy one."""

_LOG_LINES = 30


class StackError(Exception):
    """A part of the stack did not start, or ended by itself; the message ends with its log."""


class Child:
    """One process of the stack; its standard error goes to `log_path`."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", log_path: Path) -> None:
        self.name = name
        self.process = process
        self.log_path = log_path

    @classmethod
    def start(
        cls, name: str, arguments: Sequence[str], *, directory: Path, env: Mapping[str, str], reports: bool
    ) -> Self:
        """Run this Python with `arguments` in `directory`; the log is appended to `NAME.log` there.

        A session of its own keeps the terminal's Ctrl-C away: whoever started it ends it, in the right order. Only of
        what `reports` the standard output is read; a pipe that nobody reads would stop a talkative program.
        """
        log_path = directory / f"{name}.log"
        with log_path.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 (this interpreter, our own modules)
                [sys.executable, *arguments],
                cwd=directory,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if reports else log,
                stderr=log,
                start_new_session=True,
            )
        return cls(name, process, log_path)

    @property
    def pid(self) -> int:
        """The process id, which is also its group's and its session's."""
        return self.process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def report(self, seconds: float = _START_SECONDS) -> dict[str, str]:
        """The JSON object of its first line: where it listens. Raises StackError."""
        assert self.process.stdout is not None  # noqa: S101 (only what reports is asked)
        deadline = time.monotonic() + seconds
        line = b""
        while not line.endswith(b"\n"):
            if time.monotonic() > deadline:
                raise StackError(f"{self.name} has not started within {seconds:g} s\n{self.log()}")
            if select.select([self.process.stdout], [], [], _POLL_SECONDS)[0]:
                part = os.read(self.process.stdout.fileno(), 4096)
                if not part:
                    raise StackError(f"{self.name} ended while it started\n{self.log()}")
                line += part
        found: dict[str, str] = json.loads(line)
        return found

    def check(self) -> None:
        """Raise StackError when the process has ended by itself."""
        if not self.alive:
            raise StackError(f"{self.name} ended by itself with status {self.process.returncode}\n{self.log()}")

    def log(self) -> str:
        """The end of its log."""
        lines = self.log_path.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
        return "\n".join([f"--- end of {self.log_path}", *lines])

    def terminate(self) -> None:
        """Ask it to end."""
        if self.alive:
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for its end; after `seconds` it is killed, with its children."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """End it and its children at once. Does no harm when it has ended."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
