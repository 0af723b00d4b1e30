"""A server process of the tests' own: start, readiness, stop, kill, restart."""

import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from tests.servers.server import StackError, wait_until

_GUARD = Path(__file__).with_name("guard.py")
# Seconds until a stop must have happened: the guard's grace of 60 and its SIGKILL, with room for a busy machine.
_STOP_SECONDS = 80.0
# Exit code of the guard when its server ended by SIGKILL: minus the signal's number, as eight bits.
_KILLED = 256 - signal.SIGKILL
# Characters of the log's end in the error of a failed start: enough for a Java stack trace.
_LOG_TAIL = 4000


class OwnServer(ABC):
    """A server in `directory`, run by a guard process (`guard.py`) that ends it when this process is gone.

    `start` and `restart` keep port and data, so clients find it again after an outage.
    """

    name: ClassVar[str]
    start_seconds: ClassVar[float]

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._guard: subprocess.Popen[str] | None = None
        self._pid = 0
        self._prepared = False

    @property
    @abstractmethod
    def address(self) -> str:
        """`127.0.0.1:port`; for Redis `redis://127.0.0.1:port`."""

    @property
    def pid(self) -> int:
        """Process id of the server itself; raises StackError when it does not run."""
        if not self.alive:
            raise StackError(f"{self.name} does not run")
        return self._pid

    @property
    def log_path(self) -> Path:
        """File with everything that the server prints, kept over restarts."""
        return self._directory / "server.log"

    @property
    def alive(self) -> bool:
        """Whether the process runs (it may not answer yet)."""
        return self._guard is not None and self._guard.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers; no effect when it runs. Raises StackError with the log's end."""
        if self.alive:
            return
        if not self._prepared:
            self._prepare()
            self._prepared = True
        self._spawn()
        try:
            wait_until(self._answers, seconds=self.start_seconds, what=f"{self.name} answers on {self.address}")
        except BaseException as error:
            self.kill()
            if isinstance(error, StackError):
                raise StackError(f"{error}\n--- end of {self.log_path}\n{self._log_tail()}") from None
            raise

    def stop(self) -> None:
        """End it in order (SIGTERM) and wait; no effect if it does not run. Raises StackError if it must be killed."""
        if self._guard is not None and self.alive:
            self._guard.terminate()
            if self._guard.wait(_STOP_SECONDS) == _KILLED:
                raise StackError(
                    f"{self.name} did not end in order and was killed: it may have lost what it acknowledged"
                )

    def kill(self) -> None:
        """End it as a crash does (SIGKILL) and wait for its end; no effect when it does not run."""
        if self._guard is not None and self.alive:
            os.kill(self._pid, signal.SIGKILL)
            self._guard.wait(_STOP_SECONDS)

    def restart(self) -> None:
        """Stop, then start."""
        self.stop()
        self.start()

    @abstractmethod
    def _prepare(self) -> None:
        """Write configuration and directories, once before the first start."""

    @abstractmethod
    def _command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""

    def _environment(self) -> Mapping[str, str]:
        return os.environ

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether a client gets an answer."""

    def _answers(self) -> bool:
        if not self.alive:
            raise StackError(f"{self.name} ended while it started")
        return self._is_ready()

    def _spawn(self) -> None:
        arguments = [str(os.getpid()), str(self._directory), str(self.log_path), *self._command()]
        guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=self._environment(),
            # Its own session: Ctrl-C in a terminal reaches the tests only, which then stop their servers in order.
            start_new_session=True,
            text=True,
        )
        assert guard.stdout is not None
        with guard.stdout as output:
            reported = output.readline()
        self._guard = guard
        if not reported:
            guard.wait(_STOP_SECONDS)
            raise StackError(f"{self.name}: cannot run {self._command()[0]}")
        self._pid = int(reported)

    def _log_tail(self) -> str:
        return self.log_path.read_text(errors="replace")[-_LOG_TAIL:]
