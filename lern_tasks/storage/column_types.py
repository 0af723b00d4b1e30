"""Which keys and values fit their columns, so that every store refuses the same. See docs/architecture.md, "Stores".

What a store would take and give back changed, or refuse together with the rest of its batch, is refused here by itself.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from lern_tasks.errors import InvalidEvent
from lern_tasks.storage.gateway import Delete, Key, Mutation, PutCells, PutMap
from lern_tasks.storage.table import Table

_KEY_BYTES = 65_535
"""Cassandra's limit for the partition columns together, and for the clustering columns together."""

_PART_BYTES = 3
"""What Cassandra adds to each of several partition columns: its length, and a mark of its end."""

_GREATEST_FLOAT = (2 - 2**-23) * 2.0**127
"""The greatest number of 32 bits."""

_DECIMAL_DIGITS = 1000
"""Digits and places of a decimal: far more than any quantity has, and no more than the driver can convert."""


def check_key(table: Table, key: Key, *, whole: bool) -> None:
    """Raises InvalidEvent for a key that no row can have; with `whole=False` clustering columns may be missing."""
    if whole and len(key) != len(table.key):
        raise ValueError(f"a key of {table.full_name} has the columns {table.key}, not {len(key)} values")
    columns = table.key if whole else table.prefix_columns(len(key))
    for column, value in zip(columns, key, strict=True):
        if not _is_text(value):
            raise _unfit(table, column, "text")
        if not value and column in table.partition:
            raise InvalidEvent(f"{column} is empty; it is part of the key of {table.full_name}", column)
    sizes = [len(value.encode()) for value in key]
    partition, clustering = sizes[: len(table.partition)], sizes[len(table.partition) :]
    added = _PART_BYTES * len(partition) if len(partition) > 1 else 0
    if sum(partition) + added > _KEY_BYTES or sum(clustering) > _KEY_BYTES:
        raise InvalidEvent(f"a key of {table.full_name} is longer than {_KEY_BYTES} bytes; send the real identifiers")


def check_last(table: Table, prefix: Key) -> None:
    """Raises InvalidEvent for a prefix that no row can have, ValueError unless only the last key column is missing."""
    if not table.clustering or len(prefix) != len(table.key) - 1:
        raise ValueError(f"rows of {table.full_name} are read in order under all of {table.key} but the last")
    check_key(table, prefix, whole=False)


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
    if not _check_of(table, kind)(value):
        raise _unfit(table, column, kind)


def _unfit(table: Table, column: str, kind: str) -> InvalidEvent:
    return InvalidEvent(
        f"a value does not fit column {column} of {table.full_name}: send {kind} in UTF-8, without nulls inside",
        column,
    )


@cache
def _check_of(table: Table, kind: str) -> Callable[[Any], bool]:
    """Whether a value, not None, fits the type `kind` of `table`."""
    if kind in table.types:
        return _fits_fields({name: _check_of(table, field) for name, field in table.types[kind].items()})
    if kind.startswith("frozen<"):
        return _check_of(table, inner_type(kind))
    if kind.startswith("list<"):
        fits = _check_of(table, inner_type(kind))
        return lambda value: isinstance(value, list | tuple) and all(map(fits, value))
    if kind.startswith("map<"):
        fits = _check_of(table, inner_type(kind))
        return lambda value: isinstance(value, Mapping) and all(map(_is_text, value)) and all(map(fits, value.values()))
    return _CELLS[kind]


def inner_type(kind: str) -> str:
    """What is in a list, in the entries of a map, or frozen."""
    return kind.removesuffix(">").partition("<")[2].removeprefix("text, ")


def _fits_fields(checks: Mapping[str, Callable[[Any], bool]]) -> Callable[[Any], bool]:
    """Fields that are missing or None are null; a field that the type does not have would be lost."""

    def fits(value: Any) -> bool:
        return isinstance(value, Mapping) and all(
            name in checks and (field is None or checks[name](field)) for name, field in value.items()
        )

    return fits


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


def _is_float(value: Any) -> bool:
    return _is_double(value) and (not math.isfinite(value) or abs(value) <= _GREATEST_FLOAT)


def _is_decimal(value: Any) -> bool:
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    _, digits, exponent = value.as_tuple()
    return len(digits) <= _DECIMAL_DIGITS and isinstance(exponent, int) and abs(exponent) <= _DECIMAL_DIGITS


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _is_timestamp(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


_CELLS: Mapping[str, Callable[[Any], bool]] = {
    "text": _is_text,
    "int": _is_int,
    "double": _is_double,
    "float": _is_float,
    "decimal": _is_decimal,
    "boolean": _is_boolean,
    "timestamp": _is_timestamp,
}
