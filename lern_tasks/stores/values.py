"""Which keys and values fit their columns, so that every store refuses the same. See docs/architecture.md, "Stores".

What a store would take and give back changed, or refuse together with the rest of its batch, is refused here by itself.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from lern_tasks.errors import InvalidEvent
from lern_tasks.stores.gateway import Delete, Key, Mutation, PutCells, PutMap
from lern_tasks.stores.tables import Table

_KEY_BYTES = 65_535
"""Cassandra's limit for the partition columns together, and for the clustering columns together."""

_PART_BYTES = 3
"""What Cassandra adds to each of several partition columns: its length, and a mark of its end."""


def check_key(table: Table, key: Key, *, whole: bool) -> None:
    """Raises InvalidEvent for a key that no row can have; with `whole=False` clustering columns may be missing."""
    wanted = len(table.key) if whole else len(table.partition)
    if not wanted <= len(key) <= len(table.key):
        raise ValueError(f"a key of {table.full_name} has the columns {table.key}, not {len(key)} values")
    for column, value in zip(table.key, key, strict=False):
        _check(table, column, "text", value)
        if not value and column in table.partition:
            raise InvalidEvent(f"{column} is empty; it is part of the key of {table.full_name}", column)
    sizes = [len(value.encode()) for value in key]
    partition, clustering = sizes[: len(table.partition)], sizes[len(table.partition) :]
    added = _PART_BYTES * len(partition) if len(partition) > 1 else 0
    if sum(partition) + added > _KEY_BYTES or sum(clustering) > _KEY_BYTES:
        raise InvalidEvent(f"a key of {table.full_name} is longer than {_KEY_BYTES} bytes; send the real identifiers")


def check_change(change: Mutation) -> None:
    """Raises InvalidEvent naming the column whose value does not fit, or for the key."""
    table = change.table
    check_key(table, change.key, whole=True)
    if isinstance(change, Delete):
        return
    if isinstance(change, PutCells):
        cells = change.cells
    elif isinstance(change, PutMap):
        cells = {change.column: change.entries}
    else:
        cells = {change.column: change.value}
    for column, value in cells.items():
        if value is not None:
            _check(table, column, table.columns[column], value)


def _check(table: Table, column: str, kind: str, value: Any) -> None:
    if not _check_of(kind)(value):
        raise InvalidEvent(
            f"a value does not fit column {column} of {table.full_name}: send {kind} in UTF-8, without nulls inside",
            column,
        )


@cache
def _check_of(kind: str) -> Callable[[Any], bool]:
    """Whether a value, not None, fits the type `kind`."""
    if kind.startswith("frozen<"):
        return _check_of(kind.removeprefix("frozen<").removesuffix(">"))
    if kind.startswith("list<"):
        fits = _check_of(kind.removeprefix("list<").removesuffix(">"))
        return lambda value: isinstance(value, list | tuple) and all(map(fits, value))
    if kind.startswith("map<"):
        fits = _check_of(kind.removeprefix("map<text, ").removesuffix(">"))
        return lambda value: isinstance(value, Mapping) and all(map(_is_text, value)) and all(map(fits, value.values()))
    return _CELLS[kind]


def _is_text(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate: JSON can spell it, UTF-8 cannot
        return False
    return True


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


def _is_double(value: Any) -> bool:
    if isinstance(value, int):
        # 2**1023: the greatest power of two that a double has; more cannot be converted.
        return not isinstance(value, bool) and abs(value) <= 2**1023
    return isinstance(value, float) and not math.isnan(value)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _is_timestamp(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


_CELLS: Mapping[str, Callable[[Any], bool]] = {
    "text": _is_text,
    "int": _is_int,
    "double": _is_double,
    "boolean": _is_boolean,
    "timestamp": _is_timestamp,
}
