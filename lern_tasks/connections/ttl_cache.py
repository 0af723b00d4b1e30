"""A small cache in the process for answers that change rarely. See docs/architecture.md, "Clients"."""

import time
from collections.abc import Callable

# Courses that one process may see in an hour; more are asked for again. A few hundred kilobytes at most.
_MOST = 10_000


class TtlCache:
    """At most `most` texts by key, each for `seconds`; empty texts are not kept. `clock` gives seconds, rising."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic, *, most: int | None = None) -> None:
        self._seconds = seconds
        self._most = _MOST if most is None else most
        self._clock = clock
        self._entries: dict[str, tuple[float, str]] = {}

    def get(self, key: str, ask: Callable[[], str]) -> str:
        """The text of `key`, asked for when it is not known or too old; an error of `ask` is passed on, not kept."""
        now = self._clock()
        until, text = self._entries.get(key, (now, ""))
        if now < until:
            return text
        text = ask()
        self._entries.pop(key, None)
        if text:
            if len(self._entries) >= self._most:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = (now + self._seconds, text)
        return text
