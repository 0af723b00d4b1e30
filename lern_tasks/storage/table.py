"""What a table is to us. See docs/architecture.md, "Stores"."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

ColumnType = Literal[
    "text",
    "int",
    "boolean",
    "timestamp",
    "double",
    "float",
    "decimal",
    "list<text>",
    "map<text, int>",
    "map<text, double>",
    "map<text, text>",
    "map<text, timestamp>",
    "map<text, frozen<list<text>>>",
    "list<frozen<map<text, text>>>",
    "map<text, frozen<map<text, text>>>",
    "list<frozen<question>>",
]
"""`question` is the type of an answered question: in Python a mapping of its fields (`QUESTION`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: its keyspace and name, its key columns in order, and the type of each column that we use.

    `other_keys`: primary keys (partition, clustering) that installations also have, of the same columns; every query
    works on all of them. `optional`: columns that an installation may lack (`Gateway.present`). `types`: the fields of
    user-defined types by their name in `columns`; `type_names`: what the installation calls them. `ours`: made by
    `lern tables create`, not by the platform.
    """

    keyspace: str
    name: str
    partition: tuple[str, ...]
    clustering: tuple[str, ...] = ()
    columns: Mapping[str, ColumnType]
    other_keys: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    optional: frozenset[str] = frozenset()
    types: Mapping[str, Mapping[str, ColumnType]] = field(default_factory=dict)
    type_names: Mapping[str, str] = field(default_factory=dict)
    ours: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key's columns."""
        return (*self.partition, *self.clustering)

    @property
    def full_name(self) -> str:
        """`keyspace.name`."""
        return f"{self.keyspace}.{self.name}"

    def renamed(self, *, keyspace: str, name: str) -> "Table":
        """The same table under the names of an installation."""
        return replace(self, keyspace=keyspace, name=name)

    def prefix_columns(self, length: int) -> tuple[str, ...]:
        """The first `length` columns of the key, which select rows on every key that the table may have.

        Raises ValueError when they do not: on one of the keys the query would be refused.
        """
        names = self.key[:length]
        for partition, clustering in ((self.partition, self.clustering), *self.other_keys):
            further = length - len(partition)
            if not 0 <= further <= len(clustering) or set(names) != {*partition, *clustering[:further]}:
                raise ValueError(f"rows of {self.full_name} cannot be selected by {length} columns of {self.key}")
        return names

    def is_map(self, column: str) -> bool:
        """Whether the column is a map, whose entries are written one by one."""
        return self.columns[column].startswith("map<")

    def __hash__(self) -> int:
        return hash((self.keyspace, self.name))
