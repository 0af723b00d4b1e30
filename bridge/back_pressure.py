"""Whether records may be dispatched now. See docs/architecture.md, "Back-pressure"."""

import time
from collections.abc import Callable
from typing import Literal, Protocol

from lern_tasks.errors import DependencyDown, LernError

_EVERY = 0.5
"""Seconds between two looks at the queue. A bridge dispatches about 2 000 messages a second, so the depth passes the
high mark by about a thousand at most, a twentieth of its default."""

Closed = Literal["", "depth", "outage"]


class QueueView(Protocol):
    """What back-pressure asks of the broker."""

    def depth(self) -> int:
        """Messages waiting or delivered without being acknowledged. Raises DependencyDown."""

    def check_writable(self) -> None:
        """Raises DependencyDown unless the broker takes writes."""


class BackPressure:
    """Open until the queue is above its high mark or the broker is away; then closed until it is below the low mark.

    After an outage it opens as soon as the broker takes writes again and the queue is not above the high mark.
    """

    def __init__(
        self,
        queue: QueueView,
        *,
        high: int,
        low: int,
        every: float = _EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._high, self._low = high, low
        self._every = every
        self._clock = clock
        self._next_look = clock()
        self.closed: Closed = ""
        self.reason = ""

    def is_open(self) -> bool:
        """Whether to dispatch; looks at the queue when the last look is old."""
        if self._clock() >= self._next_look:
            self._look()
            self._next_look = self._clock() + self._every
        return not self.closed

    def close(self, outage: LernError) -> None:
        """A dispatch failed: stay closed until a later look finds the broker working."""
        self.closed, self.reason = "outage", str(outage)
        self._next_look = self._clock() + self._every

    def _look(self) -> None:
        try:
            if self.closed == "outage":
                self._queue.check_writable()
            depth = self._queue.depth()
        except DependencyDown as outage:
            self.closed, self.reason = "outage", str(outage)
            return
        limit = self._low if self.closed == "depth" else self._high
        self.closed = "depth" if depth > limit else ""
        self.reason = f"{depth} messages wait or are being worked on" if self.closed else ""
