"""The tables that an installation has, looked at when a job first uses them. See docs/operations.md, "Schema check"."""

import threading
import time
from collections.abc import Callable
from typing import Literal

from lern_tasks.storage.cassandra.ddl import stored_name
from lern_tasks.storage.cassandra.schema_check import FoundSchema, act_on, differences, key_of
from lern_tasks.storage.table import Table

_AGAIN = 3.0
"""Seconds until a schema that did not fit is read again: a mended one is seen at once, and each record does not ask."""


class InstalledSchema:
    """What `read` tells of each keyspace, kept as long as it fits. `read` raises LernError."""

    def __init__(self, read: Callable[[str], FoundSchema], mode: Literal["refuse", "warn", "off"]) -> None:
        self._read = read
        self._mode = mode
        self._reading = threading.Lock()
        self._found: dict[str, tuple[float, FoundSchema]] = {}
        self._accepted: set[Table] = set()

    def check(self, table: Table) -> None:
        """Whether the jobs can work on the table. Raises SchemaMismatch when not, or LernError."""
        if self._mode == "off" or table in self._accepted:
            return
        with self._reading:
            if table not in self._accepted:
                found = self._look(table, lambda schema: not differences([table], schema))
                act_on(differences([table], found), self._mode)
                self._accepted.add(table)

    def present(self, table: Table) -> frozenset[str]:
        """The declared columns that are there."""
        with self._reading:
            found = self._look(table, lambda schema: set(table.columns) <= set(schema.table(table)))
        return frozenset(table.columns) & frozenset(found.table(table))

    def partition(self, table: Table) -> tuple[str, ...]:
        """The partition columns that the table has here: one of the declared keys'."""
        if not table.other_keys:
            return table.partition
        with self._reading:
            found = self._look(table, lambda schema: bool(schema.table(table)))
        partition, _ = key_of(found.table(table))
        return partition or table.partition

    def _look(self, table: Table, fits: Callable[[FoundSchema], bool]) -> FoundSchema:
        """The table's keyspace as it was read last; read again when it did not fit and some time has passed."""
        keyspace = stored_name(table.keyspace)
        read_at, found = self._found.get(keyspace, (None, FoundSchema()))
        now = time.monotonic()
        if read_at is None or (not fits(found) and now - read_at >= _AGAIN):
            found = self._read(keyspace)
            self._found[keyspace] = now, found
        return found
