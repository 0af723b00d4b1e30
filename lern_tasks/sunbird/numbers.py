"""Numbers as assessment events and content metadata write them. See docs/jobs/assessment_aggregator.md, "Event"."""

import math
import re

# What JSON itself takes for a number, and the spellings around it that every writer means the same by.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def number_of(value: object) -> float | None:
    """A JSON number, or a text that is one (`"1.5"`); None for anything else, and for what no double can hold."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
