"""CQL that makes tables and tells how they are. See docs/architecture.md, "Stores"."""

import re
from collections.abc import Mapping

from lern_tasks.errors import SettingsError
from lern_tasks.storage.table import Table

COLUMNS_OF_KEYSPACE = (
    "SELECT table_name, column_name, type, kind, position FROM system_schema.columns WHERE keyspace_name = ?"
)
TYPES_OF_KEYSPACE = "SELECT type_name, field_names, field_types FROM system_schema.types WHERE keyspace_name = ?"
REPLICATION_OF_KEYSPACE = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?"

_NAME = re.compile(r"[a-z0-9_]{1,48}")
"""What Cassandra takes for the name of a keyspace, a table or a type."""

ONE_COPY = {"class": "SimpleStrategy", "replication_factor": "1"}
"""For development and tests: one copy of everything, on one node."""


def stored_name(name: str) -> str:
    """The name as Cassandra keeps it: in lower case, as the platform's unquoted scripts made it.

    Raises SettingsError for what cannot be a name.
    """
    stored = name.lower()
    if not _NAME.fullmatch(stored):
        raise SettingsError(
            f"{name!r} cannot be the name of a Cassandra keyspace or table: use at most 48 letters, digits and _"
        )
    return stored


def full_name(table: Table) -> str:
    """`"keyspace"."table"`."""
    return f'"{stored_name(table.keyspace)}"."{stored_name(table.name)}"'


def stored_type(table: Table, kind: str) -> str:
    """A declared type under the names that the installation has for types of its own."""
    for name in table.types:
        kind = re.sub(rf"\b{name}\b", type_name(table, name), kind)
    return kind


def type_name(table: Table, name: str) -> str:
    """What the installation calls the type that the declaration calls `name`."""
    return stored_name(table.type_names.get(name, name))


def create_keyspace(name: str, replication: Mapping[str, str]) -> str:
    """`replication` as `system_schema.keyspaces` has it: the class and its options."""
    options = ", ".join(f"{_literal(option)}: {_literal(value)}" for option, value in replication.items())
    return f'CREATE KEYSPACE IF NOT EXISTS "{stored_name(name)}" WITH replication = {{{options}}}'


def create_types(table: Table) -> list[str]:
    """The types of its own that a table needs, before the table."""
    texts = []
    for name, fields in table.types.items():
        listed = ", ".join(f"{field} {kind}" for field, kind in fields.items())
        texts.append(f'CREATE TYPE IF NOT EXISTS "{stored_name(table.keyspace)}"."{type_name(table, name)}" ({listed})')
    return texts


def create_table(table: Table) -> str:
    """The columns that the jobs use."""
    columns = ", ".join(f"{name} {stored_type(table, kind)}" for name, kind in table.columns.items())
    key = ", ".join((f"({', '.join(table.partition)})", *table.clustering))
    return f"CREATE TABLE IF NOT EXISTS {full_name(table)} ({columns}, PRIMARY KEY ({key}))"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
