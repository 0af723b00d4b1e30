"""Many keys, large values, threads and processes: the gateway's contract. See docs/architecture.md, "Stores"."""

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lern_tasks.storage.cassandra.gateway import CassandraGateway
from lern_tasks.storage.gateway import Gateway, Key, Mutation, PutMap
from lern_tasks.storage.sqlite.gateway import SqliteGateway
from lern_tasks.storage.table import Table
from tests.storage.gateways import cassandra_settings, cell, new_key, put, read, rows_under, sqlite_path, write

WRITERS = 3
ROUNDS = 20


def entry(table: Table, key: Key, name: str, timestamp: int | None = None) -> Mutation:
    return PutMap(table=table, key=key, column="wholes", entries={name: 1}, timestamp=timestamp)


def test_a_thousand_keys_in_one_call(gateway: Gateway, table: Table) -> None:
    there = [new_key() for _ in range(500)]
    absent = [new_key() for _ in range(500)]
    write(gateway, *(put(table, key, whole=number) for number, key in enumerate(there)))
    keys = [key for pair in zip(there, absent, strict=True) for key in pair]
    found = gateway.get_many(table, [*keys, *keys[:10]], ["whole"])
    assert list(found) == keys
    assert [found[key] for key in there] == [{"whole": number} for number in range(500)]
    assert {found[key] is None for key in absent} == {True}


def test_more_changes_of_one_partition_than_a_batch_takes(gateway: Gateway, table: Table) -> None:
    country, town = new_key()[:2]
    # 10 statements are a batch: ten of them, a part of one, and no batch left over at the limit.
    for number in (100, 95, 10):
        places = [(country, town, f"street {number}", f"{place}") for place in range(number)]
        write(gateway, *(put(table, key, whole=place) for place, key in enumerate(places)))
        found = rows_under(gateway, table, (country, town, f"street {number}"), "whole")
        assert sorted(row["whole"] for row in found) == list(range(number))


def test_a_wrong_change_in_the_midst_of_batches_is_alone(gateway: Gateway, table: Table) -> None:
    country, town = new_key()[:2]
    changes = [put(table, (country, town, "a", f"{place}"), whole=place) for place in range(25)]
    changes[13] = put(table, changes[13].key, whole="thirteen")
    results = gateway.apply(changes)
    assert [index for index, result in enumerate(results) if result is not None] == [13]
    assert len(rows_under(gateway, table, (country, town), "house")) == 24


def test_a_partition_of_several_pages_comes_whole(gateway: Gateway, table: Table) -> None:
    country, town = new_key()[:2]
    # The driver takes 5000 rows a page.
    write(gateway, *(put(table, (country, town, "a", f"{place}"), whole=place) for place in range(5_100)))
    found = rows_under(gateway, table, (country, town), "whole")
    assert sorted(row["whole"] for row in found) == list(range(5_100))


def test_a_value_of_megabytes_comes_back(gateway: Gateway, table: Table) -> None:
    key = new_key()
    tree = "hierarchy ☕ " * 300_000
    write(gateway, put(table, key, words=tree))
    assert cell(gateway, table, key, "words") == tree


def test_threads_write_one_row_together(gateway: Gateway, table: Table) -> None:
    key = new_key()

    def work(writer: int) -> list[Any]:
        return [gateway.apply([entry(table, key, f"{writer}-{number}")]) for number in range(ROUNDS)]

    with ThreadPoolExecutor(WRITERS) as pool:
        results = list(pool.map(work, range(WRITERS)))
    assert results == [[[None]] * ROUNDS] * WRITERS
    wholes = cell(gateway, table, key, "wholes")
    assert set(wholes) == {f"{writer}-{number}" for writer in range(WRITERS) for number in range(ROUNDS)}


def _gateway(kind: str, place: str) -> Gateway:
    return SqliteGateway(place) if kind == "sqlite" else CassandraGateway(cassandra_settings(place))


def _write_entries(kind: str, place: str, table: Table, key: Key, writer: int) -> None:
    gateway = _gateway(kind, place)
    for number in range(ROUNDS):
        write(gateway, entry(table, key, f"{writer}-{number}"), put(table, key, writer * ROUNDS + number, whole=writer))
    gateway.close()


@pytest.fixture
def place(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> str:
    """Where another process finds the store."""
    return sqlite_path(tmp_path) if kind == "sqlite" else request.getfixturevalue("cassandra_server").address


def test_processes_write_one_row_together(gateway: Gateway, kind: str, place: str, table: Table) -> None:
    key = new_key()
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_write_entries, args=(kind, place, table, key, writer)) for writer in range(WRITERS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * WRITERS
    assert len(cell(gateway, table, key, "wholes")) == WRITERS * ROUNDS
    assert cell(gateway, table, key, "whole") == WRITERS - 1


def _write_once_and_leave(gateway: Gateway, table: Table, key: Key) -> None:
    write(gateway, entry(table, key, "child"))
    if cell(gateway, table, key, "wholes") is None:
        # Without the parent's clean-up, which is not ours.
        os._exit(1)


# Python 3.12 warns of any fork beside threads; a worker's main process has none, this one may.
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_gateway_used_before_a_fork_works_on_both_sides(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, entry(table, key, "before"))
    child = multiprocessing.get_context("fork").Process(target=_write_once_and_leave, args=(gateway, table, key))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    write(gateway, entry(table, key, "after"))
    assert set(cell(gateway, table, key, "wholes")) == {"before", "child", "after"}


def test_a_map_and_a_list_are_replaced_beside_other_cells(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, PutMap(table=table, key=key, column="wholes", entries={"a": 1, "b": 2}, timestamp=1))
    write(gateway, put(table, key, 2, wholes={"b": 3}, texts=["x"], whole=7))
    assert read(gateway, table, key, "wholes", "texts", "whole") == {"wholes": {"b": 3}, "texts": ["x"], "whole": 7}
    write(gateway, put(table, key, 3, wholes={}, texts=[]))
    assert read(gateway, table, key, "wholes", "texts", "whole") == {"wholes": None, "texts": None, "whole": 7}
