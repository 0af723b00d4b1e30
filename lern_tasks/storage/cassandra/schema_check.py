"""Whether an installation's tables are as the jobs need them. See docs/operations.md, "Schema check".

Only tables and columns that the jobs use are compared; what an installation has besides is its own affair.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lern_tasks.errors import SchemaMismatch
from lern_tasks.logs import logger
from lern_tasks.storage.cassandra.ddl import stored_name, stored_type, type_name
from lern_tasks.storage.table import Table

_log = logger(__name__)

FoundTable = Mapping[str, "FoundColumn"]
"""The columns of a table, by name."""

FoundType = Mapping[str, str]
"""The types of the fields of a user-defined type, by name."""

_MIGRATE = "run the platform's migrations, or "
_UNALTERABLE = "a type cannot be altered, so run the platform's migrations or name another"
_NAMED = "in the job's settings"

_REMEDY = {
    False: f"{_MIGRATE}name the right keyspace and table in the job's settings",
    True: "lern tables create",
}
"""For a table that is not there, by whether it is ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundColumn:
    """A column as `system_schema.columns` describes it."""

    type: str
    kind: str
    """`partition_key`, `clustering`, `regular` or `static`."""
    position: int = -1
    """The place in the partition key or among the clustering columns, from 0; -1 for other columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSchema:
    """Tables and types that are there, by full name; a keyspace that is not there has none."""

    tables: Mapping[str, FoundTable] = field(default_factory=dict)
    types: Mapping[str, FoundType] = field(default_factory=dict)

    def table(self, table: Table) -> FoundTable:
        """The columns of `table`; none when it is not there."""
        return self.tables.get(f"{stored_name(table.keyspace)}.{stored_name(table.name)}", {})

    def type(self, table: Table, name: str) -> FoundType:
        """The fields of the type that the declaration of `table` calls `name`; none when it is not there."""
        return self.types.get(f"{stored_name(table.keyspace)}.{type_name(table, name)}", {})

    def joined(self, other: "FoundSchema") -> "FoundSchema":
        """Both together."""
        return FoundSchema(tables={**self.tables, **other.tables}, types={**self.types, **other.types})


def found_schema(
    keyspace: str, columns: Iterable[Mapping[str, Any]], types: Iterable[Mapping[str, Any]]
) -> FoundSchema:
    """From a keyspace's rows of `system_schema.columns` and `system_schema.types`."""
    tables: dict[str, dict[str, FoundColumn]] = {}
    for row in columns:
        column = FoundColumn(type=row["type"], kind=row["kind"], position=row["position"])
        tables.setdefault(f"{keyspace}.{row['table_name']}", {})[row["column_name"]] = column
    found = {
        f"{keyspace}.{row['type_name']}": dict(zip(row["field_names"], row["field_types"], strict=True))
        for row in types
    }
    return FoundSchema(tables=dict(tables), types=found)


def differences(tables: Sequence[Table], found: FoundSchema) -> list[str]:
    """What keeps the jobs from working on the tables that are there, in plain words, each with what to do."""
    lines: list[str] = []
    for table in tables:
        there = found.table(table)
        if there:
            lines += _key_differences(table, there)
            lines += _column_differences(table, there)
            lines += _type_differences(table, found)
        else:
            lines.append(f"table {table.full_name} does not exist: {_REMEDY[table.ours]}")
    return lines


def key_of(found: FoundTable) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The partition columns and the clustering columns of a table that is there."""
    return _key_columns(found, "partition_key"), _key_columns(found, "clustering")


def act_on(found: Sequence[str], mode: Literal["refuse", "warn", "off"]) -> None:
    """Log the differences with `warn`. Raises SchemaMismatch with all of them for `refuse`."""
    if found and mode == "refuse":
        raise SchemaMismatch("; ".join(found))
    for difference in found:
        _log.warning("schema_differs", difference=difference)


def _key_differences(table: Table, found: FoundTable) -> list[str]:
    key, fine = key_of(found), ((table.partition, table.clustering), *table.other_keys)
    if key in fine:
        return []
    return [
        f"table {table.full_name} has the key {_key_text(*key)}, and the jobs need "
        f"{' or '.join(_key_text(*columns) for columns in fine)}: a key cannot be altered, so make a table with that "
        "key, copy the rows, and name it in the job's settings"
    ]


def _column_differences(table: Table, found: FoundTable) -> list[str]:
    lines = []
    for name, declared in table.columns.items():
        column, kind = found.get(name), stored_type(table, declared)
        if column is None and (name in table.key or name in table.optional):
            continue  # told with the key; or an installation without it is served as well
        if column is None:
            lines.append(
                f"table {table.full_name} has no column {name}: {_MIGRATE}"
                f"ALTER TABLE {table.full_name} ADD {name} {kind}"
            )
        elif _plain(column.type) != _plain(kind):
            lines.append(
                f"column {name} of table {table.full_name} is {column.type}, and the jobs need {kind}: "
                f"{_UNALTERABLE} table {_NAMED}"
            )
        elif column.kind == "static":
            lines.append(
                f"column {name} of table {table.full_name} is static, and the jobs need one value a row: "
                "name a table with a regular column in the job's settings"
            )
    return lines


def _type_differences(table: Table, found: FoundSchema) -> list[str]:
    lines = []
    for name, fields in table.types.items():
        there, full_name = found.type(table, name), f"{table.keyspace}.{type_name(table, name)}"
        if there:
            told = [_field_difference(full_name, field, kind, there.get(field)) for field, kind in fields.items()]
            lines += [line for line in told if line]
        else:
            lines.append(f"type {full_name} does not exist: {_MIGRATE}name the right type in the job's settings")
    return lines


def _field_difference(type_: str, field_: str, kind: str, found: str | None) -> str:
    if found is None:
        return f"type {type_} has no field {field_}: {_MIGRATE}ALTER TYPE {type_} ADD {field_} {kind}"
    if _thawed(found) != _thawed(kind):
        return f"field {field_} of type {type_} is {found}, and the jobs need {kind}: {_UNALTERABLE} type {_NAMED}"
    return ""


def _key_columns(found: FoundTable, kind: str) -> tuple[str, ...]:
    columns = [(column.position, name) for name, column in found.items() if column.kind == kind]
    return tuple(name for _, name in sorted(columns))


def _key_text(partition: Sequence[str], clustering: Sequence[str]) -> str:
    first = f"({', '.join(partition)})"
    return f"({', '.join((first, *clustering))})"


def _plain(kind: str) -> str:
    return kind.replace(" ", "").replace("varchar", "text")


def _thawed(kind: str) -> str:
    """Inside a frozen type all is frozen, said or not."""
    return _plain(kind).replace("frozen<", "").replace(">", "")
