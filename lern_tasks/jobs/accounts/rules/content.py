"""Merging what one account did with a content into what the other did. See docs/jobs/merge_user_courses.md, "Rules".

Sums are not repeatable by themselves, so a ledger keeps for each content which amounts were added from which account:
the intended sums are written ahead of the row, and marked as done afterwards.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lern_tasks.jobs.accounts.rules.text_dates import DateFormat

Row = Mapping[str, Any]
"""The columns of a row that have a value, without its key."""

VIEWS = "viewcount"
COMPLETIONS = "completedcount"
GREATEST = ("status", "progress")
LATEST = ("datetime", "last_access_time", "last_completed_time", "last_updated_time")
LATEST_TEXT = ("lastaccesstime", "lastcompletedtime", "lastupdatedtime")

_MAX_COUNT = 2**31 - 1
"""The greatest int of a column; a sum beyond it stays there, as a row that cannot be written helps nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Views and completions of a content."""

    views: int = 0
    completions: int = 0

    def plus(self, other: "Amounts") -> "Amounts":
        """The sum, as far as a column holds it."""
        return Amounts(
            views=min(self.views + other.views, _MAX_COUNT),
            completions=min(self.completions + other.completions, _MAX_COUNT),
        )

    def beyond(self, other: "Amounts") -> "Amounts":
        """How much this is more than `other`; never below 0."""
        return Amounts(views=max(self.views - other.views, 0), completions=max(self.completions - other.completions, 0))

    def at_least(self, other: "Amounts") -> "Amounts":
        """The greater of both, each by itself."""
        return Amounts(views=max(self.views, other.views), completions=max(self.completions, other.completions))


NOTHING = Amounts()


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What was added to a content from one account, and what its row was meant to hold.

    Until it is `done` the row may or may not hold it.
    """

    added: Amounts
    intended: Amounts
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedContent:
    """A content after the merge.

    `cells` are the columns whose value changes. `entry` is what the ledger has to say before they are written, None
    where nothing is added. `unreadable` are the columns with a text that is no date.
    """

    cells: Row
    entry: LedgerEntry | None
    unreadable: tuple[str, ...]


def merge_content(source: Row, target: Row | None, entry: LedgerEntry | None, dates: DateFormat) -> MergedContent:
    """Merge the `source` account's row into the `target` account's; `entry` is what the ledger says of both.

    Without a target row the source's is copied whole. No column ever loses a value, so a merge that is repeated
    changes nothing.
    """
    counters, written = _counters(source, target or {}, entry)
    cells: dict[str, Any] = {**counters}
    unreadable: list[str] = []
    if target is None:
        cells.update({name: value for name, value in source.items() if name not in (VIEWS, COMPLETIONS)})
    else:
        cells.update(_greatest(source, target))
        cells.update(_latest_texts(source, target, dates, unreadable))
    return MergedContent(cells=cells, entry=written, unreadable=tuple(unreadable))


def _counters(source: Row, target: Row, entry: LedgerEntry | None) -> tuple[dict[str, int], LedgerEntry | None]:
    amounts, base = _amounts(source), _amounts(target)
    added = entry.added if entry else NOTHING
    if entry is not None and not entry.done:
        base = base.at_least(entry.intended)
    fresh = amounts.beyond(added)
    result = base.plus(fresh)
    cells = {
        name: value
        for name, value in ((VIEWS, result.views), (COMPLETIONS, result.completions))
        if value != target.get(name) and (value or name in source)
    }
    if fresh != NOTHING:
        return cells, LedgerEntry(added=amounts.at_least(added), intended=result, done=False)
    return cells, entry if entry and not entry.done else None


def _amounts(row: Row) -> Amounts:
    """The counters of a row; an empty column counts as 0, and so does what is below."""
    return Amounts(views=max(row.get(VIEWS, 0), 0), completions=max(row.get(COMPLETIONS, 0), 0))


def _greatest(source: Row, target: Row) -> Iterator[tuple[str, Any]]:
    for name in (*GREATEST, *LATEST):
        if name in source and (name not in target or source[name] > target[name]):
            yield name, source[name]


def _latest_texts(source: Row, target: Row, dates: DateFormat, unreadable: list[str]) -> Iterator[tuple[str, str]]:
    """The later date; where the source's cannot be read the target's stays, readable or not."""
    for name in LATEST_TEXT:
        if name not in source or source[name] == target.get(name):
            continue
        if name not in target:
            yield name, source[name]
            continue
        mine, theirs = dates.moment(source[name]), dates.moment(target[name])
        if mine is None or theirs is None:
            unreadable.append(name)
        if mine is not None and (theirs is None or mine > theirs):
            yield name, source[name]
