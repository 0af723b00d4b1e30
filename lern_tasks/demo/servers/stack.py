"""Kafka, Redis, registry, platform API and store, with bridge, worker and beat: a whole installation in a directory.

See docs/architecture.md, section "Embedded". Used by `lern demo` and by the tests.
"""

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from lern_tasks.demo.servers.child import Child, StackError
from lern_tasks.demo.servers.environment import lern_environment, process_environment, settings_of
from lern_tasks.operations.topics import needed_topics
from lern_tasks.settings import Settings

__all__ = ["EmbeddedStack", "StackError"]

_STOP_SECONDS = 10.0
"""For an orderly end: the bridge drains in about a second, an idle worker in less."""

_PARTITIONS = 4

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

_ORDER = ("bridge", "worker", "beat", "redis", "kafka", "registry", "platform-api", "janitor")
"""What takes from something ends before it."""


class EmbeddedStack:
    """`with EmbeddedStack(directory) as stack: stack.start_bridge(); stack.start_worker(); ...`

    All processes end with the block, at once when it is left by an exception, and also when this process is killed.

    Attributes:
        env: the LERN_ variables under which a process uses this stack.
        kafka: `host:port`; redis_url, registry_url, platform_url: addresses without a path.
        store_path: the SQLite file.
        settings: what a process with `env` has.
    """

    env: dict[str, str]
    kafka: str
    redis_url: str
    registry_url: str
    platform_url: str
    settings: Settings

    def __init__(
        self, directory: Path, env_overrides: Mapping[str, str] | None = None, *, remove_if_killed: Path | None = None
    ) -> None:
        """Prepare a stack whose files are in `directory`, which must exist.

        Args:
            directory: logs, store and files; it is not removed.
            env_overrides: further LERN_ variables for all processes, or other values.
            remove_if_killed: a directory to remove when this process is killed.
        """
        self.directory = directory.resolve()
        self.store_path = self.directory / "store.sqlite"
        self._overrides = dict(env_overrides or {})
        self._remove_if_killed = remove_if_killed
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop(orderly=False)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop(orderly=kind is None)

    @property
    def processes(self) -> tuple[Child, ...]:
        """Every process that was started, in that order."""
        return tuple(self._children)

    def start_bridge(self, *jobs: str, name: str = "bridge", env: Mapping[str, str] | None = None) -> Child:
        """A bridge for `jobs`, or for all; `env` for this process only."""
        return self._program(name, "bridge", [part for job in jobs for part in ("--job", job)], env)

    def start_worker(
        self,
        *,
        queues: Sequence[str] = (),
        concurrency: int = 2,
        start_method: str = "fork",
        name: str = "worker",
        env: Mapping[str, str] | None = None,
    ) -> Child:
        """A worker for `queues`, or for all; `start_method` of its pool: fork, or spawn as on macOS."""
        arguments = ["-A", "lern_tasks", "worker", "-c", str(concurrency), "-n", f"{name}@%h"]
        arguments += ["--without-gossip", "--without-mingle"]
        arguments += ["-Q", ",".join(queues)] if queues else []
        arguments += ["worker.pool_start_method=spawn"] if start_method == "spawn" else []
        return self._program(name, "celery", arguments, {"REMAP_SIGTERM": "SIGQUIT", **(env or {})})

    def start_beat(self, *, name: str = "beat", env: Mapping[str, str] | None = None) -> Child:
        """Beat; its schedule is in the directory."""
        schedule = str(self.directory / f"{name}-schedule")
        return self._program(name, "celery", ["-A", "lern_tasks", "beat", "-s", schedule, "--pidfile="], env)

    def check(self) -> None:
        """Raise StackError when a process has ended by itself."""
        for child in self._children:
            child.check()

    def stop(self, *, orderly: bool = True) -> None:
        """End all processes; at once, or in order and each with time to finish what it does."""
        with _uninterrupted():
            for name in _ORDER if orderly else ():
                group = [child for child in self._children if child.name.startswith(name)]
                for child in group:
                    child.terminate()
                for child in group:
                    child.wait(_STOP_SECONDS)
            for child in self._children:
                child.kill()
            self._children.clear()

    def _start(self) -> None:
        if self._remove_if_killed is not None:
            self._service("servers.janitor", str(self._remove_if_killed.resolve()))
        topics = ",".join(f"{t.name}:{1 if t.failed else _PARTITIONS}" for t in needed_topics(self._names()))
        kafka, redis = self._service("servers.kafka", "--topics", topics), self._service("servers.redis")
        registry = self._service("platform.registry", "--data", str(self.directory / "registry.jsonl"))
        platform = self._service("platform.platform_api", "--data", str(self.directory / "platform.json"))
        self.kafka = kafka.report()["bootstrap"]
        self.redis_url, self.registry_url, self.platform_url = (
            child.report()["url"] for child in (redis, registry, platform)
        )
        self.env = self._environment()
        self.settings = settings_of(self.env)

    def _names(self) -> Settings:
        """Settings that are good for the topics' names, before any address is known."""
        return settings_of(self._overrides)

    def _environment(self) -> dict[str, str]:
        own = lern_environment(
            self.directory,
            kafka=self.kafka,
            redis_url=self.redis_url,
            registry_url=self.registry_url,
            platform_url=self.platform_url,
        )
        return {**own, **self._overrides}

    def _service(self, module: str, *arguments: str) -> Child:
        command = ["-m", f"lern_tasks.demo.{module}", "--parent-pid", str(os.getpid()), *arguments]
        return self._child(module.rpartition(".")[2].replace("_", "-"), command, {}, reports=True)

    def _program(self, name: str, module: str, arguments: Sequence[str], env: Mapping[str, str] | None) -> Child:
        command = ["-m", "lern_tasks.demo.servers.watched", "--parent-pid", str(os.getpid()), module, *arguments]
        return self._child(name, command, {**self.env, **(env or {})}, reports=False)

    def _child(self, name: str, command: Sequence[str], env: Mapping[str, str], *, reports: bool) -> Child:
        # What a program leaves in the temporary directory (billiard does, when it is killed) goes with the stack's.
        environment = {**process_environment(env), "TMPDIR": str(self.directory)}
        child = Child.start(name, command, directory=self.directory, env=environment, reports=reports)
        self._children.append(child)
        return child


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Keep an impatient second Ctrl-C from leaving processes behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
