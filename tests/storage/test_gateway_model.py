"""Random changes with timestamps: any order gives one state, and SQLite's is Cassandra's. See docs/architecture.md."""

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lern_tasks.storage.cassandra.gateway import CassandraGateway
from lern_tasks.storage.gateway import Delete, Gateway, Key, Mutation, PutCells, PutMap, ReplaceCollection
from lern_tasks.storage.sqlite.gateway import SqliteGateway
from lern_tasks.storage.table import Table
from tests.storage.gateways import every_type_in, new_key, sorted_rows, sqlite_path, write

COLUMNS = ("street", "house", "whole", "words", "flag", "wholes", "reals", "texts", "templates")
PLACES = (("a", "1"), ("a", "2"), ("b", "1"))

_STEP = 1000
"""Between timestamps, for the places of lists: two lists of one moment would be joined by Cassandra."""

_wholes = st.integers(0, 3)
_names = st.sampled_from(["a", "b", "c"])
_maps = st.dictionaries(_names, _wholes, max_size=3)

Change = tuple[str, tuple[str, str], int, Any]
"""Kind, place, timestamp in steps, content."""

_cells = st.fixed_dictionaries(
    {},
    optional={
        "whole": st.none() | _wholes,
        "words": st.none() | st.sampled_from(["", "a", "b", "é"]),
        "flag": st.none() | st.booleans(),
    },
)
_contents = st.one_of(
    st.tuples(st.just("put"), _cells),
    st.tuples(st.just("entries"), _maps),
    st.tuples(st.just("reals"), st.dictionaries(_names, st.sampled_from([0.0, 1.0, 2.5]), max_size=2)),
    st.tuples(st.just("map"), st.none() | _maps),
    st.tuples(st.just("templates"), st.dictionaries(_names, st.just({"url": "x"}), max_size=2)),
    st.tuples(st.just("list"), st.none() | st.lists(st.sampled_from(["a", "b"]), max_size=3)),
    st.tuples(st.just("delete"), st.none()),
)
changes = st.lists(st.tuples(st.sampled_from(PLACES), st.integers(1, 3), _contents), min_size=1, max_size=14)


def mutations(table: Table, partition: Key, drawn: Sequence[Any]) -> list[Mutation]:
    """The drawn changes on rows of `partition`."""
    return [
        _mutation(table, (*partition, *place), step * _STEP, index, kind, content)
        for index, (place, step, (kind, content)) in enumerate(drawn)
    ]


def _mutation(table: Table, key: Key, moment: int, index: int, kind: str, content: Any) -> Mutation:  # noqa: PLR0917
    match kind:
        case "put":
            return PutCells(table=table, key=key, cells=content, timestamp=moment)
        case "entries" | "reals":
            column = "wholes" if kind == "entries" else "reals"
            return PutMap(table=table, key=key, column=column, entries=content, timestamp=moment)
        case "map" | "templates":
            column = "wholes" if kind == "map" else "templates"
            return ReplaceCollection(table=table, key=key, column=column, value=content, timestamp=moment)
        case "list":
            # Two apart: the deletion that goes with a list is of the microsecond before.
            return ReplaceCollection(table=table, key=key, column="texts", value=content, timestamp=moment + 2 * index)
        case _:
            return Delete(table=table, key=key, timestamp=moment)


def apply_in_parts(gateway: Gateway, changes: Sequence[Mutation], source: random.Random) -> None:
    """Apply in calls of random sizes."""
    rest = list(changes)
    while rest:
        size = source.randint(1, len(rest))
        write(gateway, *rest[:size])
        rest = rest[size:]


def state(gateway: Gateway, table: Table, partition: Key) -> object:
    """All rows of the partition, and each of them as `get_many` has it."""
    rows = gateway.select_many(table, [partition], COLUMNS)[partition]
    assert isinstance(rows, list)
    singles = gateway.get_many(table, [(*partition, *place) for place in PLACES], COLUMNS)
    assert sorted_rows(rows) == sorted_rows([row for row in singles.values() if isinstance(row, dict)])
    return sorted_rows(rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=changes, seed=st.integers(0, 2**16))
def test_the_order_of_changes_does_not_matter(gateway: Gateway, table: Table, drawn: list[Any], seed: int) -> None:
    source = random.Random(seed)
    one, other = new_key()[:2], new_key()[:2]
    apply_in_parts(gateway, mutations(table, one, drawn), source)
    shuffled = mutations(table, other, drawn)
    source.shuffle(shuffled)
    # Some twice: a message may be delivered again. Not lists: written twice at one moment they double.
    again = [change for change in shuffled if not _is_list(change) and source.random() < 0.3]
    apply_in_parts(gateway, [*shuffled, *again], source)
    assert state(gateway, table, one) == state(gateway, table, other)


def _is_list(change: Mutation) -> bool:
    return isinstance(change, ReplaceCollection) and change.column == "texts"


@pytest.mark.stack
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=changes, seed=st.integers(0, 2**16))
def test_sqlite_decides_as_cassandra_does(
    cassandra_gateway: CassandraGateway, cassandra_keyspace: str, drawn: list[Any], seed: int
) -> None:
    table, partition = every_type_in(cassandra_keyspace), new_key()[:2]
    with tempfile.TemporaryDirectory() as directory:
        sqlite_gateway = SqliteGateway(sqlite_path(Path(directory)))
        for gateway in (cassandra_gateway, sqlite_gateway):
            apply_in_parts(gateway, mutations(table, partition, drawn), random.Random(seed))
        expected = state(cassandra_gateway, table, partition)
        assert state(sqlite_gateway, table, partition) == expected
        sqlite_gateway.close()
