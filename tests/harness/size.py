"""How much the tests do: a plain run leaves out the costliest, and does the rest with less load than the full size.

The full size is for a release and for a change of delivery, locks or retries: 2,000 events under every kill, 500
enrolments where all jobs meet, each kind of death by itself, and each moment of an interrupted demo.
"""

import os

import pytest

VARIABLE = "LERN_TEST_SIZE"

FULL = os.environ.get(VARIABLE) == "full"

only_full = pytest.mark.skipif(not FULL, reason=f"left out of a plain run for its cost: set {VARIABLE}=full")
"""For a costly variant of another test, a death or a fault by itself that others meet among several, and servers'
own ways, which change with their versions only."""


def size(plain: int, *, full: int) -> int:
    """`plain`, or `full` when everything was asked for."""
    return full if FULL else plain
