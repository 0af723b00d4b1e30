"""Waiting for a condition with a deadline: the only way in which tests wait."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE = 0.05
"""Seconds between two looks at a condition that costs nothing."""

REST = 4
"""A condition that takes long to look at is left alone for as many times as long: what is waited for needs the CPU."""

LONGEST = 2.0
"""Seconds between two looks at most, so that none misses by far what it waits for, or its deadline."""


def wait_until(condition: Callable[[], T], *, seconds: float, what: str) -> T:
    """The first true value of `condition`; fails with `what` and the last value when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}; last value {value!r}")
        time.sleep(min(LONGEST, max(PAUSE, REST * (time.monotonic() - asked))))
