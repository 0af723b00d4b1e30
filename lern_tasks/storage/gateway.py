"""How tables are read and written: many at once, each answer a value or an error. See docs/architecture.md."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from lern_tasks.errors import LernError
from lern_tasks.storage.table import Table

V = TypeVar("V")

Key = tuple[str, ...]
"""Values of key columns, partition columns first."""

Row = Mapping[str, Any]
"""Columns that were asked for; None where there is no value. Timestamps are aware, in UTC."""

BATCH_SIZE = 10
"""Changes of one batch: the documented `threshold.batch.write.size`, also for jobs that do not have the setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutCells:
    """Set whole columns, maps and lists too. `timestamp` in microseconds decides between writers; None is now."""

    table: Table
    key: Key
    cells: Mapping[str, Any]
    timestamp: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutMap:
    """Set single entries of a map, leaving the others."""

    table: Table
    key: Key
    column: str
    entries: Mapping[str, Any]
    timestamp: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceCollection:
    """Replace a whole list or map."""

    table: Table
    key: Key
    column: str
    value: Any
    timestamp: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Delete a row."""

    table: Table
    key: Key
    timestamp: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows of many; `after` resumes behind them, None is the end.

    `done` is how much of the table lies behind, from 0 to 1.
    """

    rows: Sequence[Row]
    after: str | None
    done: float


Mutation = PutCells | PutMap | ReplaceCollection | Delete


class Gateway(Protocol):
    """The tables. Errors are per key: an outage is DependencyDown("cassandra"), a timeout TransientError."""

    def get_many(self, table: Table, keys: Sequence[Key], columns: Sequence[str]) -> dict[Key, Row | None | LernError]:
        """The row of each whole key, None where there is none."""
        ...

    def select_many(
        self, table: Table, prefixes: Sequence[Key], columns: Sequence[str]
    ) -> dict[Key, list[Row] | LernError]:
        """The rows under each prefix: all partition columns, then any number of clustering columns."""
        ...

    def scan(self, table: Table, columns: Sequence[str], *, after: str | None, limit: int) -> Page:
        """The next rows of a whole table, about `limit` of them: whole partitions, by token range, never filtered.

        `after` is None at the start, then the `after` of the page before, also in another process. Raises LernError.
        """
        ...

    def select_page(self, table: Table, prefix: Key, columns: Sequence[str], *, after: str | None, limit: int) -> Page:
        """The next `limit` rows under a prefix that is all of the key but the last column, in one order.

        `after` as for `scan`; `done` is 0 until the end. For partitions that are too large for `select_many`.
        Raises LernError.
        """
        ...

    def present(self, table: Table) -> frozenset[str]:
        """The declared columns that the table has here; empty when there is no such table. Raises LernError."""
        ...

    def apply(self, mutations: Sequence[Mutation], *, batch_size: int = BATCH_SIZE) -> list[LernError | None]:
        """Write all; the answer has the order of `mutations`, None for what is written.

        Where a store writes changes of one partition as a batch, `batch_size` is how many at most.
        """
        ...

    def create(self, tables: Sequence[Table]) -> None:
        """Create keyspaces and tables that are missing: for development and tests only."""
        ...

    def ping(self) -> None:
        """Raises DependencyDown while the store does not answer."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...


def value_of(found: V | LernError) -> V:
    """The value that was read for a key. Raises the error that was found in its place."""
    if isinstance(found, LernError):
        raise found
    return found


def raise_first(errors: Iterable[LernError | None]) -> None:
    """Raise the first error of what `apply` answers, when there is one."""
    for error in errors:
        if error is not None:
            raise error
