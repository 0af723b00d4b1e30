"""Merging a content of two accounts: the worked examples, the ledger, and what holds for all rows."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.accounts.rules.content import Amounts, LedgerEntry, MergedContent, Row, merge_content
from lern_tasks.jobs.accounts.rules.text_dates import date_format

DATES = date_format("yyyy-MM-dd HH:mm:ss:SSSZ")
EARLY, LATE = datetime(2023, 11, 14, 10, tzinfo=UTC), datetime(2023, 11, 15, 8, tzinfo=UTC)
RULED = ("status", "progress", "viewcount", "completedcount", "last_access_time", "lastaccesstime")


def merge(source: Row, target: Row | None, entry: LedgerEntry | None = None) -> MergedContent:
    return merge_content(source, target, entry, DATES)


def entry(added: int, intended: int, *, done: bool) -> LedgerEntry:
    """An entry of views."""
    return LedgerEntry(added=Amounts(views=added), intended=Amounts(views=intended), done=done)


def applied(target: Row | None, merged: MergedContent) -> Row:
    return {**(target or {}), **merged.cells}


def finished(merged: MergedContent, before: LedgerEntry | None = None) -> LedgerEntry | None:
    """What the ledger says once the rows are written."""
    if merged.entry is None:
        return before
    return LedgerEntry(added=merged.entry.added, intended=merged.entry.intended, done=True)


def test_the_worked_example_and_its_redelivery() -> None:
    source = {
        "status": 2,
        "progress": 100,
        "viewcount": 3,
        "completedcount": 1,
        "last_access_time": EARLY,
        "progressdetails": '{"p":9}',
    }
    target = {"status": 1, "progress": 40, "viewcount": 2, "last_access_time": LATE}
    merged = merge(source, target)
    assert merged.cells == {"status": 2, "progress": 100, "viewcount": 5, "completedcount": 1}
    again = merge(source, applied(target, merged), finished(merged))
    assert again == MergedContent(cells={}, entry=None, unreadable=())


@pytest.mark.parametrize(
    ("source", "ledger", "target", "result", "added"),
    [
        (3, None, 2, 5, 3),
        (3, entry(3, 5, done=True), 5, 5, None),
        (3, entry(3, 5, done=True), 9, 9, None),
        (5, entry(3, 5, done=True), 9, 11, 5),
        # Noted down, and the row was not written.
        (3, entry(3, 5, done=False), 2, 5, 3),
        # Written, and not marked as done.
        (3, entry(3, 5, done=False), 5, 5, 3),
        # The target went on before the redelivery: what the source had is lost, not doubled.
        (3, entry(3, 5, done=False), 6, 6, 3),
        # The source went on as well.
        (4, entry(3, 5, done=False), 2, 6, 4),
        # A source that fell back takes nothing away.
        (1, entry(3, 5, done=True), 5, 5, None),
        (2**31 - 1, None, 2, 2**31 - 1, 2**31 - 1),
        (0, None, 2, 2, None),
        (-1, None, 2, 2, None),
    ],
)
def test_the_ledger_table(source: int, ledger: LedgerEntry | None, target: int, result: int, added: int | None) -> None:
    merged = merge({"viewcount": source}, {"viewcount": target}, ledger)
    assert applied({"viewcount": target}, merged) == {"viewcount": result}
    assert (merged.entry.added.views if merged.entry else None) == added


@pytest.mark.parametrize(
    ("source", "target", "result"),
    [
        ("2023-05-09 10:05:04:123+0530", "2023-05-09 05:00:00:000+0000", "target"),
        ("2023-05-09 12:05:04:123+0530", "2023-05-09 05:00:00:000+0000", "source"),
        ("2023-05-09 10:30:00:000+0530", "2023-05-09 05:00:00:000+0000", "target"),
        ("n/a", "2023-05-09 05:00:00:000+0000", "target"),
        ("2023-05-09 05:00:00:000+0000", "n/a", "source"),
        ("n/a", "x", "target"),
        (None, "2023-05-09 05:00:00:000+0000", "target"),
        ("n/a", None, "source"),
    ],
)
@pytest.mark.parametrize("column", ["lastaccesstime", "lastcompletedtime", "lastupdatedtime"])
def test_dates_as_text(column: str, source: str | None, target: str | None, result: str) -> None:
    mine = {} if source is None else {column: source}
    theirs = {} if target is None else {column: target}
    merged = merge(mine, theirs)
    assert applied(theirs, merged)[column] == (source if result == "source" else target)
    unreadable = None not in (source, target) and {"n/a", "x"} & {source, target}
    assert merged.unreadable == ((column,) if unreadable else ())


@pytest.mark.parametrize("column", ["datetime", "last_access_time", "last_completed_time", "last_updated_time"])
@pytest.mark.parametrize(
    ("source", "target", "result"),
    [(EARLY, LATE, LATE), (LATE, EARLY, LATE), (EARLY, EARLY, EARLY), (None, EARLY, EARLY), (EARLY, None, EARLY)],
)
def test_the_later_time(column: str, source: datetime | None, target: datetime | None, result: datetime) -> None:
    theirs = {} if target is None else {column: target}
    merged = merge({} if source is None else {column: source}, theirs)
    assert applied(theirs, merged) == {column: result}
    assert (column in merged.cells) == (result != target)


@pytest.mark.parametrize("column", ["status", "progress", "viewcount", "completedcount"])
def test_nulls_of_numbers(column: str) -> None:
    assert merge({column: 2}, {}).cells == {column: 2}
    assert merge({column: 0}, {}).cells == {column: 0}
    assert merge({}, {column: 2}).cells == {}
    assert merge({}, {}).cells == {}


def test_columns_without_rule_keep_the_targets_value_even_an_empty_one() -> None:
    source = {"completionpercentage": 80.0, "progressdetails": "{}", "status": 1}
    assert merge(source, {"status": 1, "completionpercentage": 20.0}).cells == {}


def test_without_a_row_the_sources_is_copied_whole_and_its_amounts_are_in_the_ledger() -> None:
    source = {"status": 1, "viewcount": 3, "progressdetails": "{}", "lastaccesstime": "n/a", "last_access_time": EARLY}
    merged = merge(source, None)
    assert merged.cells == source
    assert merged.entry == entry(3, 3, done=False)
    assert merge(source, merged.cells, finished(merged)).cells == {}


def test_an_empty_row_is_nothing_to_copy() -> None:
    assert merge({}, None) == MergedContent(cells={}, entry=None, unreadable=())


rows = st.fixed_dictionaries(
    {},
    optional={
        "status": st.integers(0, 2),
        "progress": st.integers(0, 100),
        "viewcount": st.integers(0, 9),
        "completedcount": st.integers(0, 9),
        "last_access_time": st.sampled_from([EARLY, LATE]),
        "lastaccesstime": st.sampled_from(["2023-05-09 10:05:04:123+0000", "2023-05-09 12:05:04:123+0000"]),
        "progressdetails": st.sampled_from(["a", "b"]),
    },
)


@given(source=rows, target=st.none() | rows, deaths=st.lists(st.sampled_from(["intent", "row"]), max_size=3))
def test_deaths_and_redeliveries_end_as_one_clean_merge(source: Row, target: Row | None, deaths: list[str]) -> None:
    clean = applied(target, merge(source, target))
    row, ledger = target, None
    for death in [*deaths, "done", "done"]:
        merged = merge(source, row, ledger)
        ledger = merged.entry or ledger
        if death != "intent":
            row = applied(row, merged) or row
        if death == "done":
            ledger = finished(merged, ledger)
    assert (row or {}) == clean


@given(first=rows, second=rows, target=st.none() | rows)
def test_the_order_of_two_sources_does_not_matter_to_ruled_columns(first: Row, second: Row, target: Row | None) -> None:
    def both(one: Row, other: Row) -> dict[str, Any]:
        row = applied(target, merge(one, target)) or target
        row = applied(row, merge(other, row))
        return {name: row[name] for name in RULED if name in row}

    assert both(first, second) == both(second, first)


@given(
    source=rows, target=rows, pending=st.none() | st.builds(entry, st.just(2), st.integers(0, 9), done=st.booleans())
)
def test_nothing_of_the_target_is_ever_lowered(source: Row, target: Row, pending: LedgerEntry | None) -> None:
    cells = merge(source, target, pending).cells
    assert all(name not in target or value > target[name] for name, value in cells.items())
    assert "progressdetails" not in cells
