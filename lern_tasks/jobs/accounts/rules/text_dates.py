"""Dates that are stored as text, in the form that `course.date.format` gives. See docs/jobs/merge_user_courses.md.

The form is a pattern of Java's SimpleDateFormat; those of its letters are understood that make a whole point in time.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

from lern_tasks.errors import SettingsError

_NUMBERS = {"y": "year", "M": "month", "d": "day", "H": "hour", "m": "minute", "s": "second", "S": "millisecond"}
_ZONES = frozenset("ZX")
_ZONE = r"(?P<zone>[+-]\d{2}:?\d{2}|Z|UTC|GMT)"
_PART = re.compile(r"'(?P<quoted>[^']*)'|(?P<run>(?P<letter>[A-Za-z])(?P=letter)*)|(?P<other>.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DateFormat:
    """Reads dates of one form; strictly, where Java rolls over a month 13 and passes over trailing text."""

    text: re.Pattern[str]

    def moment(self, text: str) -> datetime | None:
        """The point in time; None for what cannot be read. A form without zone is taken as UTC."""
        match = self.text.fullmatch(text)
        if match is None:
            return None
        found = {name: int(value) for name, value in match.groupdict().items() if name != "zone"}
        millisecond = timedelta(milliseconds=found.pop("millisecond", 0))
        try:
            local = datetime(**found, tzinfo=_zone(match.groupdict().get("zone")))
            return (local + millisecond).astimezone(UTC)
        except (ValueError, OverflowError):
            return None


@cache
def date_format(pattern: str) -> DateFormat:
    """The form that `pattern` describes. Raises SettingsError for a pattern with other letters, or without a day."""
    made = "".join(_expression(part, pattern) for part in _PART.finditer(pattern))
    try:
        compiled = re.compile(made, re.ASCII)
    except re.error:
        raise _unknown(pattern, "a letter stands in it twice") from None
    if not {"year", "month", "day"} <= set(compiled.groupindex):
        raise _unknown(pattern, "it has no year, month or day")
    return DateFormat(compiled)


def _expression(part: re.Match[str], pattern: str) -> str:
    letter, run = part["letter"], part["run"]
    if letter is None:
        # Two quotes are one; everything else stands for itself.
        return re.escape("'" if part["quoted"] == "" else part["quoted"] or part["other"])
    if letter in _ZONES:
        return _ZONE
    if letter not in _NUMBERS or len(run) > 4 or (letter == "M" and len(run) > 2) or run == "yy":
        raise _unknown(pattern, f"{run} is not understood")
    # One letter is a number of any length, several are as many digits.
    digits = r"\d{1,4}" if len(run) == 1 else rf"\d{{{len(run)}}}"
    return f"(?P<{_NUMBERS[letter]}>{digits})"


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def _unknown(pattern: str, why: str) -> SettingsError:
    return SettingsError(
        f"course.date.format is {pattern!r}, and {why}: use y, M, d, H, m, s, S, Z, X, and text in single quotes"
    )
