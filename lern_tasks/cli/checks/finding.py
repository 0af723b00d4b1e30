"""What a check found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from lern_tasks.settings import Settings

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: what was looked at, whether it is as it must be, what is the case, and what to do about it."""

    check: str
    level: Level
    result: str
    to_do: str = ""


Check = Callable[[Settings], Iterable[Finding]]
"""Looks, and says what it found. Whatever it raises becomes a finding of its own."""


def ok(check: str, result: str) -> Finding:
    """All is well."""
    return Finding(check=check, level="ok", result=result)


def warning(check: str, result: str, to_do: str) -> Finding:
    """It works, and will not always."""
    return Finding(check=check, level="warning", result=result, to_do=to_do)


def problem(check: str, result: str, to_do: str) -> Finding:
    """Records are lost or wait."""
    return Finding(check=check, level="problem", result=result, to_do=to_do)
