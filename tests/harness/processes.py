"""Bridge and workers as processes over given servers, as an installation runs them."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from celery import Celery

from lern_tasks.delivery.resources import Resources
from lern_tasks.settings import Settings, load

ROOT = Path(__file__).resolve().parents[2]


def settings_of(env: dict[str, str]) -> Settings:
    """The settings that a process with `env` has."""
    with patch.dict(os.environ, env):
        return load()


class System:
    """Starts and ends the processes of one installation; their output is in `directory`."""

    def __init__(self, directory: Path, env: dict[str, str]) -> None:
        self.directory = directory
        self.env = env
        self.settings = settings_of(env)
        self.ctx = Resources(self.settings, Celery("test", broker=self.settings.redis_url("broker")))
        self.processes: list[subprocess.Popen[bytes]] = []
        self.worker_arguments: list[str] = []

    def start_bridge(self, *jobs: str, **env: str) -> subprocess.Popen[bytes]:
        """A bridge for `jobs`, or for all."""
        arguments = [part for job in jobs for part in ("--job", job)]
        return self._start("bridge", [sys.executable, "-m", "bridge", *arguments], env)

    def start_worker(
        self, *, queues: str = "", concurrency: int = 2, app: str = "lern_tasks", **env: str
    ) -> subprocess.Popen[bytes]:
        """A worker of `app` for `queues` (comma-separated), or for all."""
        name = f"worker{len(self.processes)}"
        command = [sys.executable, "-m", "celery", "-A", app, "worker"]
        command += ["-c", str(concurrency), "-n", f"{name}@%h", "--without-gossip", "--without-mingle"]
        command += self.worker_arguments
        return self._start(name, [*command, *(["-Q", queues] if queues else [])], {"REMAP_SIGTERM": "SIGQUIT", **env})

    def _start(self, name: str, command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.directory / f"{name}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **self.env, **env},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def logs(self) -> str:
        """All output so far."""
        return "\n".join(
            f"== {path.name}\n{path.read_text(errors='replace')}" for path in sorted(self.directory.glob("*.log"))
        )

    def stop(self) -> None:
        """End every process that is left, with its children."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                kill_group(process)
        self.ctx.gateway.close()
        self.ctx.redis.close()
        self.ctx.sender.close()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children at once, as a power cut would."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(timeout=10)
