"""Errors of the gateway's contract: of one key or one change, while the others go through. See docs/architecture.md."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lern_tasks.errors import DependencyDown, InvalidEvent
from lern_tasks.storage.cassandra.gateway import CassandraGateway
from lern_tasks.storage.gateway import Gateway, Key, Mutation, PutCells, PutMap, ReplaceCollection
from lern_tasks.storage.sqlite.gateway import SqliteGateway
from lern_tasks.storage.table import Table
from tests.servers.ports import free_ports
from tests.storage.gateways import cassandra_settings, cell, new_key, put, rows_under, write

SURROGATE = "half a \ud800 character"
"""A lone surrogate: JSON can spell it, UTF-8 and so no store can."""

TOO_LONG = "x" * 70_000
"""Cassandra's limit for a key is 65535 bytes."""

BAD_KEYS = {
    "blank partition": ("", "town", "street", "house"),
    "blank second partition": ("country", "", "street", "house"),
    "surrogate": (SURROGATE, "town", "street", "house"),
    "surrogate in clustering": ("country", "town", SURROGATE, "house"),
    "too long": (TOO_LONG, "town", "street", "house"),
    "too long together": ("x" * 40_000, "y" * 40_000, "street", "house"),
    "too long in clustering": ("country", "town", "street", TOO_LONG),
}


@pytest.mark.parametrize("bad", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_a_bad_key_is_an_error_of_its_own(gateway: Gateway, table: Table, bad: Key) -> None:
    one, two = new_key(), new_key()
    results = gateway.apply([put(table, one, whole=1), put(table, bad, whole=2), put(table, two, whole=3)])
    assert results[0] is None
    assert isinstance(results[1], InvalidEvent)
    assert results[2] is None
    found = gateway.get_many(table, [one, bad, two], ["whole"])
    assert (found[one], found[two]) == ({"whole": 1}, {"whole": 3})
    assert isinstance(found[bad], InvalidEvent)
    for length in (2, 4):
        rows = gateway.select_many(table, [one[:length], bad[:length]], ["whole"])
        assert rows[one[:length]] == [{"whole": 1}]
        if length == 4:
            assert isinstance(rows[bad], InvalidEvent)


def test_a_blank_partition_names_its_column(gateway: Gateway, table: Table) -> None:
    [error] = gateway.apply([put(table, ("country", "", "street", "house"), whole=1)])
    assert isinstance(error, InvalidEvent)
    assert error.field == "town"
    assert "every_type" in str(error)


def _cells(table: Table, key: Key, column: str, value: object) -> Mutation:
    return PutCells(table=table, key=key, cells={column: value})


def _entry(table: Table, key: Key, column: str, value: object) -> Mutation:
    return PutMap(table=table, key=key, column=column, entries={"a": value})


def _collection(table: Table, key: Key, column: str, value: object) -> Mutation:
    return ReplaceCollection(table=table, key=key, column=column, value=value)


@pytest.mark.parametrize(
    ("change", "column", "value"),
    [
        (_cells, "words", SURROGATE),
        (_cells, "words", 7),
        (_cells, "whole", "7"),
        (_cells, "whole", 2**31),
        (_cells, "whole", 2**70),
        (_cells, "whole", 7.5),
        (_cells, "real", "seven"),
        (_cells, "moment", "not a date"),
        (_cells, "moment", datetime(2026, 11, 21)),
        (_cells, "real", float("nan")),
        (_cells, "real", 10**400),
        (_cells, "small", "seven"),
        (_cells, "small", 3.5e38),
        (_cells, "small", float("nan")),
        (_cells, "exact", 7),
        (_cells, "exact", "7"),
        (_cells, "exact", Decimal("NaN")),
        (_cells, "exact", Decimal("Infinity")),
        (_cells, "exact", Decimal("1E+1001")),
        (_cells, "exact", Decimal("1" * 1001)),
        (_entry, "names", 7),
        (_entry, "choices", "not a list"),
        (_entry, "choices", [None]),
        (_collection, "answers", {"id": "a list is wanted"}),
        (_collection, "answers", [None]),
        (_collection, "answers", ["not a question"]),
        (_collection, "answers", [{"id": 7}]),
        (_collection, "answers", [{"score": "seven"}]),
        (_collection, "answers", [{"duration": 1.5}]),
        (_collection, "answers", [{"assess_ts": datetime(2026, 11, 21)}]),
        (_collection, "answers", [{"params": [{"value": None}]}]),
        (_collection, "answers", [{"no such field": "a"}]),
        (_cells, "flag", 1),
        (_cells, "whole", True),
        (_entry, "wholes", None),
        (_entry, "wholes", "seven"),
        (_entry, "wholes", 2**31),
        (_entry, "moments", "not a date"),
        (_entry, "templates", "not a map"),
        (_collection, "wholes", {SURROGATE: 1}),
        (_collection, "wholes", ["not a map"]),
        (_collection, "texts", [SURROGATE]),
        (_collection, "texts", [7]),
        (_collection, "texts", [None]),
        (_collection, "papers", [{"name": None}]),
        (_collection, "texts", "not a list"),
        (_collection, "papers", [{"name": 7}]),
        (_collection, "papers", [{"name": SURROGATE}]),
        (_collection, "papers", ["not a map"]),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_of_its_own_change(
    gateway: Gateway, table: Table, change: Callable[[Table, Key, str, object], Mutation], column: str, value: object
) -> None:
    key, other = new_key(), new_key()
    results = gateway.apply(
        [put(table, key, flag=True), change(table, key, column, value), put(table, key, words="a"), put(table, other)]
    )
    assert isinstance(results[1], InvalidEvent)
    assert [results[0], *results[2:]] == [None, None, None]
    assert cell(gateway, table, key, column) == {"flag": True, "words": "a"}.get(column)


def test_an_error_tells_no_value(gateway: Gateway, table: Table) -> None:
    [error] = gateway.apply([put(table, new_key(), whole="Asha Rao")])
    assert isinstance(error, InvalidEvent)
    assert "Asha" not in str(error)


def _nobody(kind: str, tmp_path: Path) -> Gateway:
    if kind == "sqlite":
        return SqliteGateway(str(tmp_path / "no such directory" / "store.sqlite"))
    [port] = free_ports(1)
    return CassandraGateway(cassandra_settings(f"127.0.0.1:{port}"))


@pytest.mark.parametrize("kind", ["sqlite", "cassandra"])
def test_a_store_that_is_not_there_is_an_outage_of_each_key(kind: str, tmp_path: Path, table: Table) -> None:
    gateway = _nobody(kind, tmp_path)
    one, two = new_key(), new_key()
    answers: list[Any] = [
        *gateway.get_many(table, [one, two], ["whole"]).values(),
        *gateway.select_many(table, [one[:2], two[:2]], ["whole"]).values(),
        *gateway.apply([put(table, one, whole=1), put(table, two, whole=1)]),
    ]
    assert len(answers) == 6
    for answer in answers:
        assert isinstance(answer, DependencyDown)
        assert answer.name == "cassandra"
    with pytest.raises(DependencyDown):
        gateway.ping()
    with pytest.raises(DependencyDown):
        gateway.scan(table, ["whole"], after=None, limit=1)
    with pytest.raises(DependencyDown):
        gateway.select_page(table, one[:3], ["whole"], after=None, limit=1)
    gateway.close()


def test_a_closed_gateway_opens_again(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, put(table, key, whole=1))
    gateway.close()
    gateway.close()
    gateway.ping()
    assert cell(gateway, table, key, "whole") == 1


def test_a_key_with_odd_characters_is_a_key(gateway: Gateway, table: Table) -> None:
    odd = ['"', "\\", "\x00", "'", ";", "[", "%s", "?", " ", "ё☕𝒳", "a:b|c", "\n"]
    country = new_key()[0]
    keys: list[Key] = [(country, town, street, "1") for town in odd for street in odd]
    write(gateway, *(put(table, key, whole=number) for number, key in enumerate(keys)))
    assert gateway.get_many(table, keys, ["whole"]) == {key: {"whole": number} for number, key in enumerate(keys)}
    assert {row["street"] for row in rows_under(gateway, table, (country, "%s"), "street")} == set(odd)
