"""How much the tests do: a plain run proves each way once, `LERN_TEST_SIZE=full` repeats the costly ones at full load.

The full size is for a release and for a change of delivery, locks or retries: 2,000 events under every kill, 500
enrolments where all jobs meet, each kind of death by itself, and each moment of an interrupted demo.
"""

import os

import pytest

_VARIABLE = "LERN_TEST_SIZE"

FULL = os.environ.get(_VARIABLE) == "full"

only_full = pytest.mark.skipif(not FULL, reason=f"other tests show the same in a plain run: set {_VARIABLE}=full")
"""For a costly test whose way others go as well: a further variant, or one kind of death of several."""


def size(plain: int, *, full: int) -> int:
    """`plain`, or `full` when everything was asked for."""
    return full if FULL else plain
