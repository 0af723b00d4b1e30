"""Whether an installation's tables are as the jobs need them. See docs/operations.md, "Schema check".

Only tables and columns that the jobs use are compared; what an installation has besides is its own affair.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lern_tasks.errors import SchemaMismatch
from lern_tasks.logs import logger
from lern_tasks.settings import Settings
from lern_tasks.stores.cql import stored_name
from lern_tasks.stores.tables import Table, used_by
from lern_tasks.topics import EVENT_JOBS

_log = logger(__name__)

FoundTable = Mapping[str, "FoundColumn"]
"""The columns of a table, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundColumn:
    """A column as `system_schema.columns` describes it."""

    type: str
    kind: str
    """`partition_key`, `clustering`, `regular` or `static`."""
    position: int = -1
    """The place in the partition key or among the clustering columns, from 0; -1 for other columns."""


def needed_tables(settings: Settings) -> list[Table]:
    """Each table that an event job reads or writes, once, under the installation's names."""
    return list({table: None for job in EVENT_JOBS for table in used_by(settings, job)})


def found_tables(
    tables: Sequence[Table], columns_of: Callable[[str], Sequence[Mapping[str, Any]]]
) -> dict[str, FoundTable]:
    """The tables of the same keyspaces, by full name.

    `columns_of` gives a keyspace's rows of `system_schema.columns`, none when there is no such keyspace.
    """
    found: dict[str, dict[str, FoundColumn]] = {}
    for keyspace in sorted({stored_name(table.keyspace) for table in tables}):
        for row in columns_of(keyspace):
            column = FoundColumn(type=row["type"], kind=row["kind"], position=row["position"])
            found.setdefault(f"{keyspace}.{row['table_name']}", {})[row["column_name"]] = column
    return dict(found)


def differences(tables: Sequence[Table], found: Mapping[str, FoundTable]) -> list[str]:
    """What keeps the jobs from working on the tables `found` (by full name), in plain words, each with what to do."""
    lines: list[str] = []
    for table in tables:
        there = found.get(f"{stored_name(table.keyspace)}.{stored_name(table.name)}")
        if there is None:
            lines.append(
                f"table {table.full_name} does not exist: run the platform's migrations, "
                "or name the right keyspace and table in the job's settings"
            )
        else:
            lines += _key_differences(table, there)
            lines += _column_differences(table, there)
    return lines


def act_on(found: Sequence[str], mode: Literal["refuse", "warn", "off"]) -> None:
    """Log the differences with `warn`. Raises SchemaMismatch with all of them for `refuse`."""
    if found and mode == "refuse":
        raise SchemaMismatch("; ".join(found))
    for difference in found:
        _log.warning("schema_differs", difference=difference)


def _key_differences(table: Table, found: FoundTable) -> list[str]:
    partition, clustering = _key_columns(found, "partition_key"), _key_columns(found, "clustering")
    if (partition, clustering) == (table.partition, table.clustering):
        return []
    return [
        f"table {table.full_name} has the key {_key_text(partition, clustering)}, and the jobs need "
        f"{_key_text(table.partition, table.clustering)}: a key cannot be altered, so make a table with that key, copy "
        "the rows, and name it in the job's settings"
    ]


def _column_differences(table: Table, found: FoundTable) -> list[str]:
    lines = []
    for name, kind in table.columns.items():
        column = found.get(name)
        if column is None and name in table.key:
            continue  # told with the key
        if column is None:
            lines.append(
                f"table {table.full_name} has no column {name}: run the platform's migrations, "
                f"or ALTER TABLE {table.full_name} ADD {name} {kind}"
            )
        elif _plain(column.type) != _plain(kind):
            lines.append(
                f"column {name} of table {table.full_name} is {column.type}, and the jobs need {kind}: "
                "a type cannot be altered, so run the platform's migrations or name another table in the job's settings"
            )
        elif column.kind == "static":
            lines.append(
                f"column {name} of table {table.full_name} is static, and the jobs need one value a row: "
                "name a table with a regular column in the job's settings"
            )
    return lines


def _key_columns(found: FoundTable, kind: str) -> tuple[str, ...]:
    columns = [(column.position, name) for name, column in found.items() if column.kind == kind]
    return tuple(name for _, name in sorted(columns))


def _key_text(partition: Sequence[str], clustering: Sequence[str]) -> str:
    first = f"({', '.join(partition)})"
    return f"({', '.join((first, *clustering))})"


def _plain(kind: str) -> str:
    return kind.replace(" ", "").replace("varchar", "text")
