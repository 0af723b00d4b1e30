"""Values as the Cassandra driver takes and gives them. See docs/architecture.md, "Stores"."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lern_tasks.storage.column_types import inner_type
from lern_tasks.storage.gateway import Row
from lern_tasks.storage.table import Table


class _Fields:
    """A mapping that the driver can ask by name: it writes the fields in the order of the installation's type."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._mapping = fields

    def __getattr__(self, name: str) -> Any:
        # Also for a field that the declaration does not have: null.
        return self._mapping.get(name)


def bound(table: Table, column: str, value: Any) -> Any:
    """The value of `column` as the driver takes it."""
    return value if value is None or not table.types else _given(table, table.columns[column], value)


def row_of(table: Table, found: Mapping[str, Any], columns: Sequence[str]) -> Row:
    """The asked columns of a row as `Gateway` gives them; an empty collection is None, as Cassandra keeps it."""
    values = {column: _read(table, column, found[column]) for column in columns}
    return {column: None if value in ({}, []) else value for column, value in values.items()}


def _read(table: Table, column: str, value: Any) -> Any:
    return None if value is None else _reader(table, table.columns[column])(value)


def _given(table: Table, kind: str, value: Any) -> Any:
    if kind in table.types:
        return _Fields(value)
    if kind.startswith("frozen<"):
        return _given(table, inner_type(kind), value)
    if kind.startswith("list<"):
        return [_given(table, inner_type(kind), element) for element in value]
    if kind.startswith("map<"):
        return {name: _given(table, inner_type(kind), entry) for name, entry in value.items()}
    return value


@cache
def _reader(table: Table, kind: str) -> Callable[[Any], Any]:
    """From the driver's value, not None, to ours."""
    if kind in table.types:
        return _field_reader({name: _reader(table, field) for name, field in table.types[kind].items()})
    if kind.startswith("frozen<"):
        return _reader(table, inner_type(kind))
    if kind.startswith("list<"):
        element_of = _reader(table, inner_type(kind))
        return lambda value: [element_of(element) for element in value]
    if kind.startswith("map<"):
        entry_of = _reader(table, inner_type(kind))
        return lambda value: {name: entry_of(entry) for name, entry in value.items()}
    return _utc if kind == "timestamp" else _same


def _field_reader(readers: Mapping[str, Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def read(value: Any) -> dict[str, Any]:
        # A type of an older installation may lack a field.
        fields = {name: getattr(value, name, None) for name in readers}
        return {name: None if field is None else readers[name](field) for name, field in fields.items()}

    return read


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)


def _same(value: Any) -> Any:
    return value
