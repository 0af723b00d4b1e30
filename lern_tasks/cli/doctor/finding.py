"""What is looked at, and what was found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from lern_tasks.catalogue import EventJob
from lern_tasks.settings import Settings

Level = Literal["ok", "warning", "problem"]

Jobs = tuple[EventJob, ...]
"""The jobs that something is for, in the order of `EVENT_JOBS`; none: for every job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: what was looked at, what is the case, why that matters, and what to do about it."""

    check: str
    level: Level
    result: str
    why: str = ""
    to_do: str = ""
    jobs: Jobs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One dependency. `look` says what it found; whatever it raises becomes a finding of its own.

    `why` and `jobs` hold for its findings that do not say their own.
    """

    name: str
    look: Callable[[Settings], Iterable[Finding]]
    why: str
    jobs: Jobs = ()


def ok(check: str, result: str, *, jobs: Jobs = ()) -> Finding:
    """All is well."""
    return Finding(check=check, level="ok", result=result, jobs=jobs)


def warning(check: str, result: str, to_do: str, *, why: str = "", jobs: Jobs = ()) -> Finding:
    """It works, and will not always."""
    return Finding(check=check, level="warning", result=result, why=why, to_do=to_do, jobs=jobs)


def problem(check: str, result: str, to_do: str, *, why: str = "", jobs: Jobs = ()) -> Finding:
    """Records are lost or wait."""
    return Finding(check=check, level="problem", result=result, why=why, to_do=to_do, jobs=jobs)
