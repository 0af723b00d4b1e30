"""Rows as cells and back, for the SQLite store. See `lern_tasks.storage.sqlite.gateway`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from lern_tasks.storage.column_types import inner_type
from lern_tasks.storage.gateway import Delete, Key, Mutation, PutCells, PutMap, ReplaceCollection, Row
from lern_tasks.storage.sqlite.values import from_stored, stored_value
from lern_tasks.storage.table import Table

Cell = tuple[str, str, str, str, object, int]
"""Table, key, column, map entry, stored value, timestamp in microseconds."""

StoredCell = tuple[str, str, str, object, int]
"""Key, column, map entry, stored value, timestamp."""

_ROW = ""
"""The column name under which the deletion of a row is kept; as an entry it marks the replacement of a map."""


def key_text(key: Key) -> str:
    """The key as text; the text of a shorter key is how the text of a longer one begins."""
    return json.dumps(key, ensure_ascii=False)[:-1]


def end_of(text: str) -> str:
    """Behind every key that begins with the key of this text, before all others.

    A longer key goes on with a comma; the character after it in order bounds the range.
    """
    return f"{text}-"


def key_of(text: str) -> Key:
    """The key of this text."""
    return tuple(json.loads(text + "]"))


def cells_of(mutation: Mutation, timestamp: int) -> list[Cell]:
    """The cells that a mutation writes; its values fit their columns (`lern_tasks.storage.column_types`)."""
    table, name, key = mutation.table, mutation.table.full_name, key_text(mutation.key)
    match mutation:
        case Delete():
            return [(name, key, _ROW, "", None, timestamp)]
        case PutCells():
            cells = mutation.cells.items()
            return [cell for column, value in cells for cell in _set(table, key, column, value, timestamp)]
        case PutMap():
            return _entries(mutation.table, key, mutation.column, mutation.entries, timestamp)
        case ReplaceCollection():
            return _set(table, key, mutation.column, mutation.value, timestamp)


def read_rows(table: Table, cells: Iterable[StoredCell], columns: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """The living rows of `cells` (ordered by key) with the wanted columns, by the text of their key."""
    for text, group in groupby(cells, key=lambda cell: cell[0]):
        values = _living(table, list(group))
        if values:
            whole = dict(zip(table.key, key_of(text), strict=True)) | values
            yield text, {column: whole.get(column) for column in columns}


def _living(table: Table, cells: Sequence[StoredCell]) -> dict[str, Any]:
    deleted = max((ts for _, column, _, _, ts in cells if column == _ROW), default=-1)
    replaced = {
        column: ts for _, column, entry, _, ts in cells if column != _ROW and entry == _ROW and table.is_map(column)
    }
    values: dict[str, Any] = {}
    for _, column, entry, stored, ts in cells:
        if column == _ROW or stored is None or ts <= max(deleted, replaced.get(column, -1)):
            continue
        kind = table.columns[column]
        if table.is_map(column):
            values.setdefault(column, {})[json.loads(entry)] = from_stored(table, inner_type(kind), stored)
        else:
            values[column] = from_stored(table, kind, stored)
    return values


def _set(table: Table, key: str, column: str, value: Any, timestamp: int) -> list[Cell]:
    """A whole column; of a map all entries that there were go."""
    name = table.full_name
    if not table.is_map(column):
        # An empty list is no list, as in Cassandra.
        empty = isinstance(value, list | tuple) and not value
        stored = stored_value(table, table.columns[column], None if empty else value)
        return [(name, key, column, "", stored, timestamp)]
    # One microsecond before, as Cassandra does: entries written by the same statement survive it.
    return [(name, key, column, _ROW, None, timestamp - 1), *_entries(table, key, column, value or {}, timestamp)]


def _entries(table: Table, key: str, column: str, entries: Mapping[str, Any], timestamp: int) -> list[Cell]:
    kind = inner_type(table.columns[column])
    return [
        (table.full_name, key, column, json.dumps(entry), stored_value(table, kind, value), timestamp)
        for entry, value in entries.items()
    ]
