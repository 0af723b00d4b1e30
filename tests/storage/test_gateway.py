"""The gateway's contract, the same on SQLite and on Cassandra: reading, writing, who wins. See docs/architecture.md."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from lern_tasks.storage.gateway import Delete, Gateway, Key, PutCells, PutMap, ReplaceCollection
from lern_tasks.storage.table import Table
from tests.storage.gateways import cell, new_key, put, read, rows_under, sorted_rows, write

MOMENT = datetime(2026, 11, 21, 10, 30, 15, 123_000, tzinfo=UTC)
"""Cassandra keeps milliseconds."""


def entries(table: Table, key: Key, timestamp: int | None = None, **values: int) -> PutMap:
    return PutMap(table=table, key=key, column="wholes", entries=values, timestamp=timestamp)


def whole_map(table: Table, key: Key, timestamp: int | None = None, **values: int) -> ReplaceCollection:
    return ReplaceCollection(table=table, key=key, column="wholes", value=values, timestamp=timestamp)


def test_a_row_that_is_not_there_is_none(gateway: Gateway, table: Table) -> None:
    assert read(gateway, table, new_key(), "whole") is None


def test_nothing_asked_and_nothing_written_is_nothing(gateway: Gateway, table: Table) -> None:
    assert gateway.apply([]) == []
    assert gateway.get_many(table, [], ["whole"]) == {}
    assert gateway.select_many(table, [], ["whole"]) == {}


def test_a_row_has_the_asked_columns_and_none_where_there_is_no_value(gateway: Gateway, table: Table) -> None:
    key = new_key("high street", "7")
    write(gateway, put(table, key, whole=1, words="hello"))
    assert read(gateway, table, key, "words", "flag", "texts", "wholes", "house") == {
        "words": "hello",
        "flag": None,
        "texts": None,
        "wholes": None,
        "house": "7",
    }


def test_a_row_can_be_asked_for_without_any_column(gateway: Gateway, table: Table) -> None:
    there, absent = new_key(), new_key()
    write(gateway, put(table, there, whole=1))
    assert gateway.get_many(table, [there, absent], []) == {there: {}, absent: None}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("words", "naïve ☕ 𝒳 \u0928\u092e\u0938\u094d\u0924\u0947"),
        ("words", "with a \x00 inside"),
        ("words", ""),
        ("words", '"quoted", {json} [and] \\ commas'),
        ("whole", 0),
        ("whole", -2_147_483_648),
        ("whole", 2_147_483_647),
        ("flag", True),
        ("flag", False),
        ("moment", MOMENT),
        ("moment", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("real", 0.1),
        ("real", 7.0),
        ("real", -1e300),
        ("small", 7.5),
        ("exact", Decimal("12.50")),
        ("exact", Decimal("-7E+3")),
        ("exact", Decimal(0)),
    ],
)
def test_a_cell_comes_back_as_it_was_put(gateway: Gateway, table: Table, column: str, value: object) -> None:
    key = new_key()
    write(gateway, PutCells(table=table, key=key, cells={column: value}))
    found = cell(gateway, table, key, column)
    assert found == value
    assert type(found) is type(value)
    if isinstance(found, datetime):
        assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("texts", ["b", "a", "b", ""]),
        ("wholes", {"do_1": 2, "do_2": 0, "": 1}),
        ("reals", {"score:do_1": 7.5, "attempts_count:do_1": 1.0}),
        ("moments", {"completedCount": MOMENT}),
        ("papers", [{"name": "Course", "token": "t-1"}, {"name": "Other ☕", "type": ""}]),
        ("names", {"state": "Assam", "": ""}),
        ("choices", {"board": ["State (Assam)", ""], "medium": []}),
        ("templates", {"template_01": {"criteria": '{"enrollment":{"status":2}}', "url": "https://x/y.svg"}}),
    ],
)
def test_a_collection_comes_back_as_it_was_written(gateway: Gateway, table: Table, column: str, value: object) -> None:
    key = new_key()
    write(gateway, ReplaceCollection(table=table, key=key, column=column, value=value))
    found = cell(gateway, table, key, column)
    assert found == value
    assert type(found) is type(value)
    if isinstance(found, dict):
        assert [type(entry) for entry in found.values()] == [type(entry) for entry in found.values()]
        if column == "moments":
            assert found["completedCount"].tzinfo is UTC


def test_a_moment_keeps_milliseconds(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, put(table, key, moment=MOMENT.replace(microsecond=123_456)))
    assert cell(gateway, table, key, "moment") == MOMENT


def test_none_clears_a_value_and_a_row_without_any_is_gone(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, put(table, key, words="a", whole=1))
    write(gateway, put(table, key, words=None))
    assert read(gateway, table, key, "words", "whole") == {"words": None, "whole": 1}
    assert read(gateway, table, key, "words") == {"words": None}
    write(gateway, put(table, key, whole=None))
    assert read(gateway, table, key, "whole") is None
    assert rows_under(gateway, table, key[:2], "house") == []


def test_a_float_keeps_what_32_bits_keep(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, put(table, key, small=0.1))
    assert cell(gateway, table, key, "small") == 0.10000000149011612


def test_entries_of_further_maps_are_put_one_by_one(gateway: Gateway, table: Table) -> None:
    key = new_key()
    for column, first, second in [("names", "a", "b"), ("choices", ["a"], ["b", "c"])]:
        for entry, value in (("one", first), ("two", first), ("two", second)):
            write(gateway, PutMap(table=table, key=key, column=column, entries={entry: value}))
        assert cell(gateway, table, key, column) == {"one": first, "two": second}


def test_map_entries_are_put_one_by_one(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, entries(table, key, a=1, b=1))
    write(gateway, entries(table, key, b=2, c=2))
    assert cell(gateway, table, key, "wholes") == {"a": 1, "b": 2, "c": 2}


def test_no_entries_change_nothing(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, entries(table, key), put(table, key))
    assert read(gateway, table, key, "wholes") is None


def test_a_replaced_collection_has_only_what_it_was_replaced_by(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, entries(table, key, 10, a=1, b=1))
    write(gateway, whole_map(table, key, 20, b=2))
    assert cell(gateway, table, key, "wholes") == {"b": 2}
    write(gateway, ReplaceCollection(table=table, key=key, column="texts", value=["x", "y"], timestamp=20))
    write(gateway, ReplaceCollection(table=table, key=key, column="texts", value=["z"], timestamp=30))
    assert cell(gateway, table, key, "texts") == ["z"]


@pytest.mark.parametrize("empty", [None, {}])
def test_an_empty_map_is_none(gateway: Gateway, table: Table, empty: dict[str, int] | None) -> None:
    key = new_key()
    write(gateway, put(table, key, 10, whole=1), entries(table, key, 10, a=1))
    write(gateway, ReplaceCollection(table=table, key=key, column="wholes", value=empty, timestamp=20))
    assert read(gateway, table, key, "wholes") == {"wholes": None}


@pytest.mark.parametrize("empty", [None, []])
def test_an_empty_list_is_none(gateway: Gateway, table: Table, empty: list[str] | None) -> None:
    key = new_key()
    write(gateway, put(table, key, 10, whole=1))
    write(gateway, ReplaceCollection(table=table, key=key, column="texts", value=["a"], timestamp=10))
    write(gateway, ReplaceCollection(table=table, key=key, column="texts", value=empty, timestamp=20))
    assert read(gateway, table, key, "texts") == {"texts": None}


def test_an_older_put_does_not_come_back_after_a_replacement(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, put(table, key, 1, whole=1))
    write(gateway, whole_map(table, key, 20, b=2))
    write(gateway, entries(table, key, 10, a=1, b=1))
    assert cell(gateway, table, key, "wholes") == {"b": 2}
    write(gateway, whole_map(table, key, 30))
    write(gateway, entries(table, key, 25, c=3))
    assert cell(gateway, table, key, "wholes") is None


def test_a_newer_put_survives_an_older_replacement(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, entries(table, key, 20, a=1))
    write(gateway, whole_map(table, key, 10, b=2))
    assert cell(gateway, table, key, "wholes") == {"a": 1, "b": 2}


def test_an_older_list_does_not_come_back(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, ReplaceCollection(table=table, key=key, column="papers", value=[{"name": "new"}], timestamp=20))
    write(gateway, ReplaceCollection(table=table, key=key, column="papers", value=[{"name": "old"}], timestamp=10))
    assert cell(gateway, table, key, "papers") == [{"name": "new"}]


def test_an_older_write_loses_cell_by_cell(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, put(table, key, 20, whole=2, words="new"))
    write(gateway, put(table, key, 10, whole=1, flag=True))
    assert read(gateway, table, key, "whole", "words", "flag") == {"whole": 2, "words": "new", "flag": True}


@pytest.mark.parametrize(("column", "values"), [("whole", (1, 2)), ("words", ("a", "b")), ("flag", (False, True))])
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_values_of_one_moment_the_greater_wins(
    gateway: Gateway, table: Table, column: str, values: tuple[object, object], turned: bool
) -> None:
    key = new_key()
    for value in reversed(values) if turned else values:
        write(gateway, PutCells(table=table, key=key, cells={column: value}, timestamp=10))
    assert cell(gateway, table, key, column) == values[1]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "ending",
    [
        lambda table, key: put(table, key, 10, whole=None),
        lambda table, key: Delete(table=table, key=key, timestamp=10),
    ],
    ids=["none", "delete"],
)
def test_of_a_value_and_a_deletion_of_one_moment_the_deletion_wins(
    gateway: Gateway, table: Table, turned: bool, ending: Callable[[Table, Key], Any]
) -> None:
    key = new_key()
    changes = [put(table, key, 10, whole=1), ending(table, key)]
    for change in reversed(changes) if turned else changes:
        write(gateway, change)
    assert read(gateway, table, key, "whole") is None


def test_a_deleted_row_is_gone_with_its_collections_until_a_later_write(gateway: Gateway, table: Table) -> None:
    key, other = new_key("a", "1"), new_key("a", "2")
    for each in (key, (*key[:2], *other[2:])):
        write(gateway, put(table, each, 10, whole=1), entries(table, each, 10, a=1))
        write(gateway, ReplaceCollection(table=table, key=each, column="texts", value=["a"], timestamp=10))
    write(gateway, Delete(table=table, key=key, timestamp=20))
    assert [row["house"] for row in rows_under(gateway, table, key[:2], "house")] == ["2"]
    write(gateway, put(table, key, 15, whole=2), entries(table, key, 15, b=1))
    assert read(gateway, table, key, "whole") is None
    write(gateway, put(table, key, 30, whole=3))
    assert read(gateway, table, key, "whole", "wholes", "texts") == {"whole": 3, "wholes": None, "texts": None}


def test_without_timestamps_the_later_change_wins_also_within_one_call(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, *(put(table, key, whole=number) for number in (9, 8, 7)), put(table, key, words="b"))
    write(gateway, put(table, key, words="a"))
    assert read(gateway, table, key, "whole", "words") == {"whole": 7, "words": "a"}
    write(gateway, Delete(table=table, key=key), put(table, key, whole=1))
    assert read(gateway, table, key, "whole", "words") == {"whole": 1, "words": None}


def test_without_a_timestamp_the_write_is_of_now(gateway: Gateway, table: Table) -> None:
    key = new_key()
    now = int(datetime.now(tz=UTC).timestamp() * 1_000_000)
    write(gateway, put(table, key, whole=1))
    # An hour: the clocks of this machine and the server's are surely closer.
    write(gateway, put(table, key, now - 3_600_000_000, whole=9), put(table, key, now + 3_600_000_000, words="later"))
    write(gateway, put(table, key, words="now"))
    assert read(gateway, table, key, "whole", "words") == {"whole": 1, "words": "later"}


def test_prefixes_select_whole_partitions_and_parts_of_them(gateway: Gateway, table: Table) -> None:
    country, town = new_key()[:2]
    places = [("a", "1"), ("a", "2"), ("a b", "1"), ('a"', "1"), ("a,", "1"), ("b", "1")]
    write(gateway, *(put(table, (country, town, *place), whole=number) for number, place in enumerate(places)))
    write(gateway, put(table, (country, f"{town}2", "a", "1"), whole=99))
    prefixes: list[Key] = [(country, town), (country, town, "a"), (country, town, "a", "2"), (country, town, "c")]
    found = gateway.select_many(table, prefixes, ["street", "house", "whole"])
    rows = [{"street": street, "house": house, "whole": number} for number, (street, house) in enumerate(places)]
    assert list(found) == prefixes
    wanted: list[list[dict[str, object]]] = [rows, rows[:2], rows[1:2], []]
    for prefix, expected in zip(prefixes, wanted, strict=True):
        got = found[prefix]
        assert isinstance(got, list)
        assert sorted_rows(got) == sorted_rows(expected)


def test_a_clustering_column_may_be_empty(gateway: Gateway, table: Table) -> None:
    key = new_key("", "")
    write(gateway, put(table, key, whole=1))
    assert cell(gateway, table, key, "whole") == 1
