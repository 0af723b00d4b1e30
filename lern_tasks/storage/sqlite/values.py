"""Values as SQLite keeps them and back; collections as JSON. See `lern_tasks.storage.sqlite.gateway`."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from struct import Struct
from typing import Any

from lern_tasks.storage.column_types import inner_type
from lern_tasks.storage.table import Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
"""What a timestamp keeps, as in Cassandra."""

_FLOAT = Struct(">f")
"""What a float keeps, as in Cassandra."""

_STORED: Mapping[str, Callable[[Any], object]] = {
    "timestamp": lambda value: (value - _EPOCH) // _MILLISECOND,
    "double": float,
    "float": lambda value: _FLOAT.unpack(_FLOAT.pack(value))[0],
    "decimal": str,
    "int": int,
    "boolean": int,
    "text": lambda value: value,
}
"""From a value to what a cell holds, or JSON says, by type."""

_VALUES: Mapping[str, Callable[[Any], Any]] = {
    "timestamp": lambda stored: _EPOCH + stored * _MILLISECOND,
    "double": float,
    "float": float,
    "decimal": Decimal,
    "int": int,
    "boolean": bool,
    "text": lambda stored: stored,
}
"""And back."""


def stored_value(table: Table, kind: str, value: Any) -> object:
    """What a cell of that type holds; None for none."""
    if value is None:
        return None
    plain = _converted(table, kind, value, _STORED)
    return plain if kind in _STORED else json.dumps(plain, ensure_ascii=False)


def from_stored(table: Table, kind: str, stored: Any) -> Any:
    """The value of a cell that holds one."""
    return _converted(table, kind, stored if kind in _VALUES else json.loads(stored), _VALUES)


def _converted(table: Table, kind: str, value: Any, single: Mapping[str, Callable[[Any], Any]]) -> Any:
    if kind in single:
        return single[kind](value)
    if kind in table.types:
        return {name: _field(table, field, value.get(name), single) for name, field in table.types[kind].items()}
    inner = inner_type(kind)
    if kind.startswith("list<"):
        return [_converted(table, inner, element, single) for element in value]
    if kind.startswith("map<"):
        return {name: _converted(table, inner, entry, single) for name, entry in value.items()}
    return _converted(table, inner, value, single)


def _field(table: Table, kind: str, value: Any, single: Mapping[str, Callable[[Any], Any]]) -> Any:
    return None if value is None else _converted(table, kind, value, single)
