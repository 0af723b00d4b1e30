"""Reading whole tables page by page: every row once, whole partitions, resumed anywhere. See docs/architecture.md."""

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lern_tasks.storage.gateway import Delete, Gateway, Key, Page, Row
from lern_tasks.storage.table import Table
from tests.storage.gateways import new_key, put, write

COLUMNS = ("country", "town", "street", "house", "whole", "wholes")


@pytest.fixture(scope="module")
def name() -> str:
    """A table that only this module's tests fill."""
    return f"scanned_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def scanned(gateway: Gateway, table: Table, name: str) -> Iterator[Table]:
    own = table.renamed(keyspace=table.keyspace, name=name)
    gateway.create([own])
    yield own
    left = [
        tuple(row[column] for column in own.key) for page in pages(gateway, own, own.key, 1000) for row in page.rows
    ]
    write(gateway, *(Delete(table=own, key=key) for key in left))


def pages(gateway: Gateway, table: Table, columns: Sequence[str], limit: int) -> Iterator[Page]:
    """A whole scan."""
    after = None
    while True:
        page = gateway.scan(table, columns, after=after, limit=limit)
        yield page
        if page.after is None:
            return
        # As a task keeps it: text.
        assert isinstance(page.after, str)
        assert page.after != after
        after = page.after


def key_of(row: Row) -> Key:
    return tuple(row[column] for column in ("country", "town", "street", "house"))


def partition(number: int, salt: str) -> Key:
    return (f"{salt}{number % 3}", f'town "{number}",')


@dataclass
class Drawn:
    """What a test writes before a scan, and what others write meanwhile."""

    sizes: list[int]
    """Rows of each partition."""
    deleted: list[int]
    """Partitions deleted before the scan: nothing of them is left but tombstones."""
    limit: int
    meanwhile: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Page -> partition and number of rows that are inserted after it."""


scenes = st.builds(
    Drawn,
    sizes=st.lists(st.integers(1, 7), max_size=12),
    deleted=st.lists(st.integers(0, 11), max_size=4),
    limit=st.integers(1, 9),
    meanwhile=st.dictionaries(st.integers(0, 5), st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=3),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=scenes)
def test_what_was_there_comes_exactly_once_in_whole_partitions(gateway: Gateway, scanned: Table, drawn: Drawn) -> None:
    salt = uuid.uuid4().hex
    keys = [(*partition(n, salt), "a", f"{house}") for n, size in enumerate(drawn.sizes) for house in range(size)]
    gone = {partition(number, salt) for number in drawn.deleted}
    write(gateway, *(put(scanned, key, whole=1) for key in keys))
    write(gateway, *(Delete(table=scanned, key=key) for key in keys if key[:2] in gone))
    there = {key for key in keys if key[:2] not in gone}

    came: Counter[Key] = Counter()
    page_of: dict[Key, int] = {}
    inserted: set[Key] = set()
    for number, page in enumerate(pages(gateway, scanned, COLUMNS, drawn.limit)):
        found = [key_of(row) for row in page.rows]
        came.update(found)
        for key in found:
            assert page_of.setdefault(key[:2], number) == number, "a partition is cut in two"
        # About the limit: one partition more at most.
        assert len(found) <= drawn.limit + 7 + 3 * 5
        if number in drawn.meanwhile:
            where, size = drawn.meanwhile[number]
            new = [(*partition(where, salt), "b", f"{number}-{house}") for house in range(size)]
            write(gateway, *(put(scanned, key, whole=2) for key in new))
            inserted |= set(new)
    assert {key for key in came if key in there} == there
    assert set(came) <= there | inserted
    assert set(came.values()) <= {1}
    write(gateway, *(Delete(table=scanned, key=key) for key in there | inserted))


def test_rows_have_the_asked_columns(gateway: Gateway, scanned: Table) -> None:
    key = new_key()
    write(gateway, put(scanned, key, whole=7, flag=True))
    [page] = pages(gateway, scanned, ["whole", "wholes", "house", "answers"], 10)
    assert page == Page(rows=[{"whole": 7, "wholes": None, "house": "house", "answers": None}], after=None, done=1.0)
    assert [page.rows for page in pages(gateway, scanned, [], 10)] == [[{}]]


def test_an_empty_table_is_one_page_without_rows(gateway: Gateway, scanned: Table) -> None:
    assert gateway.scan(scanned, ["whole"], after=None, limit=10) == Page(rows=[], after=None, done=1.0)


@pytest.mark.parametrize("limit", [1, 10, 50])
def test_a_partition_larger_than_a_page_comes_whole(gateway: Gateway, scanned: Table, limit: int) -> None:
    large = new_key()[:2]
    small = [new_key() for _ in range(20)]
    write(gateway, *(put(scanned, (*large, "a", f"{house}"), whole=1) for house in range(200)))
    write(gateway, *(put(scanned, key, whole=1) for key in small))
    sizes = [Counter(key_of(row)[:2] for row in page.rows) for page in pages(gateway, scanned, COLUMNS, limit)]
    assert sorted(found[large] for found in sizes if large in found) == [200]
    assert sum(sum(found.values()) for found in sizes) == 220


def test_what_is_done_rises_to_one(gateway: Gateway, scanned: Table) -> None:
    write(gateway, *(put(scanned, new_key(), whole=1) for _ in range(100)))
    done = [page.done for page in pages(gateway, scanned, ["whole"], 5)]
    assert len(done) >= 20
    assert done == sorted(done)
    assert 0 < done[0] < 0.5 < done[-2] <= 1
    assert done[-1] == 1.0


def test_a_table_without_clustering_columns_and_with_one_partition_column(
    gateway: Gateway, table: Table, name: str
) -> None:
    columns: dict[str, Any] = {"id": "text", "whole": "int"}
    own = Table(keyspace=table.keyspace, name=f"{name}_single", partition=("id",), columns=columns)
    gateway.create([own])
    ids = {f'{number}"{uuid.uuid4().hex}' for number in range(50)}
    write(gateway, *(put(own, (each,), whole=1) for each in ids))
    found = [row["id"] for page in pages(gateway, own, ["id"], 7) for row in page.rows]
    assert sorted(found) == sorted(ids)


def test_all_declared_columns_are_there(gateway: Gateway, table: Table) -> None:
    assert gateway.present(table) == frozenset(table.columns)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    houses=st.sets(st.text(alphabet='ab"\\,é\x00 ☕', max_size=3), max_size=12),
    deleted=st.sets(st.text(alphabet="ab", max_size=2)),
    limit=st.integers(1, 5),
)
def test_rows_under_a_prefix_come_page_by_page(
    gateway: Gateway, table: Table, houses: set[str], deleted: set[str], limit: int
) -> None:
    prefix = new_key()[:3]
    write(gateway, *(put(table, (*prefix, house), whole=1) for house in houses))
    write(gateway, *(Delete(table=table, key=(*prefix, house)) for house in deleted))
    write(gateway, put(table, (*prefix[:2], f"{prefix[2]}2", "x"), whole=1))
    found: list[Row] = []
    after, pages_ = None, 0
    while pages_ == 0 or after is not None:
        page = gateway.select_page(table, prefix, ["house", "whole"], after=after, limit=limit)
        assert len(page.rows) <= limit
        found += page.rows
        after, pages_ = page.after, pages_ + 1
        assert page.done == (1.0 if after is None else 0.0)
    assert sorted(row["house"] for row in found) == sorted(houses - deleted)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_pages_of_rows_need_all_of_the_key_but_the_last_column(gateway: Gateway, table: Table, length: int) -> None:
    with pytest.raises(ValueError, match="but the last"):
        gateway.select_page(table, new_key()[:length], ["whole"], after=None, limit=1)


def test_a_scan_reads_another_gateways_place(gateway: Gateway, scanned: Table, request: pytest.FixtureRequest) -> None:
    write(gateway, *(put(scanned, new_key(), whole=1) for _ in range(20)))
    first = gateway.scan(scanned, COLUMNS, after=None, limit=5)
    gateway.close()
    rest = gateway.scan(scanned, COLUMNS, after=first.after, limit=100)
    assert len({key_of(row) for row in (*first.rows, *rest.rows)}) == 20
    assert rest.after is None
