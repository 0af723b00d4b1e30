"""Waiting for a dependency that is down, within the time limits. See docs/architecture.md, "Failure"."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from lern_tasks.delivery.resources import Resources
from lern_tasks.errors import DependencyDown
from lern_tasks.logs import logger

T = TypeVar("T")

_log = logger(__name__)

_MARGIN = 15.0
"""Seconds before the soft limit at which waiting ends: one statement in flight, then sending the records again."""


class OutageWait:
    """How long this run may wait: until shortly before its soft time limit."""

    def __init__(self, ctx: Resources, *, soft_limit: float) -> None:
        self._ctx = ctx
        # A short limit (tests, impatient settings) still leaves most of itself for waiting.
        self._deadline = time.monotonic() + max(soft_limit - _MARGIN, soft_limit / 2)

    @property
    def left(self) -> float:
        """Seconds left to wait."""
        return self._deadline - time.monotonic()

    def wait_until_up(self, name: str) -> bool:
        """Wait in place until the dependency `name` answers; False when the time ran out first."""
        pause = self._ctx.settings.tasks.probe_min
        _log.warning("waiting_for_dependency", dependency=name)
        while self.left > pause:
            time.sleep(pause)
            try:
                self._ctx.probe(name)
            except DependencyDown:
                pause = min(pause * 2, self._ctx.settings.tasks.probe_max)
            else:
                _log.info("dependency_is_back", dependency=name)
                return True
        return False

    def call_through_outage(self, call: Callable[[], T]) -> T:
        """The result of `call`, repeated when an outage ends in time. Raises DependencyDown when it does not."""
        while True:
            try:
                return call()
            except DependencyDown as error:
                if not self.wait_until_up(error.name):
                    raise

    def call_until_done(self, call: Callable[[], T]) -> T:
        """The result of `call`, repeated through outages for as long as it takes.

        For what must happen before a message may be acknowledged; the hard time limit is the only end.
        """
        while True:
            try:
                return self.call_through_outage(call)
            except DependencyDown:
                time.sleep(self._ctx.settings.tasks.probe_max)


@contextmanager
def no_soft_limit() -> Iterator[None]:
    """Keep the soft time limit's signal out while outcomes are settled: half a settlement would be lost records."""
    soft = getattr(signal, "SIGUSR1", None)
    if soft is None:
        yield
        return
    previous = signal.signal(soft, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(soft, previous)
