"""Whole rows of two accounts: contents, enrolments, figures, attempts. See docs/jobs/merge_user_courses.md, "Rows".

Of a row this reads every declared column that the installation has, and gives those with a value: nulls stay unset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lern_tasks.errors import SchemaMismatch
from lern_tasks.jobs.accounts.rules.content import Row
from lern_tasks.jobs.accounts.rules.merge import COMPLETED_COUNT, Attempt, BatchKey, EnrolmentHistory, MergePlan
from lern_tasks.storage.gateway import (
    Gateway,
    Key,
    Mutation,
    PutCells,
    PutMap,
    ReplaceCollection,
    raise_first,
    value_of,
)
from lern_tasks.storage.table import Table
from lern_tasks.sunbird import activity_aggregates
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import JobTables

_CONTEXT = "cb:"
"""What the context of a batch's figures begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedRows:
    """Reads and writes the rows of accounts. `columns` are by table; without `attempts` these are passed over."""

    gateway: Gateway
    tables: JobTables
    columns: Mapping[Table, Sequence[str]]
    attempts: bool

    @classmethod
    def open(cls, gateway: Gateway, tables: JobTables, *, attempts: bool) -> "MergedRows":
        """Look up which columns there are. Raises LernError."""
        wanted = [tables.content_consumption, tables.enrolments, *([tables.assessments] if attempts else [])]
        columns = {table: _columns(table, gateway.present(table)) for table in wanted}
        return cls(gateway=gateway, tables=tables, columns=columns, attempts=attempts)

    def accounts(
        self, source: str, target: str
    ) -> tuple[dict[BatchKey, EnrolmentHistory], dict[BatchKey, EnrolmentHistory]]:
        """The histories of two accounts by course and batch, a round trip a table. Raises LernError.

        Figures are those of the courses that the source is enrolled in; attempts those of the source's batches.
        """
        users = (source, target)
        enrolments = self._by_batch(self.tables.enrolments, [(user,) for user in users])
        contents = self._by_batch(self.tables.content_consumption, [(user,) for user in users])
        courses = sorted({course for course, _ in enrolments[(source,)]})
        figures = self._figures([(user, course) for user in users for course in courses])
        batch_keys = sorted({*enrolments[(source,)], *contents[(source,)]})
        attempts = self._attempts([(user, *batch_key) for user in users for batch_key in batch_keys])
        found = []
        for user in users:
            own = figures.get(user, {})
            found.append(
                {
                    batch_key: EnrolmentHistory(
                        enrolment=enrolments[(user,)].get(batch_key, {}).get(()),
                        contents=_single(contents[(user,)].get(batch_key, {})),
                        figures=own.get(batch_key, {}),
                        attempts=attempts.get((user, *batch_key), {}),
                    )
                    for batch_key in {*enrolments[(user,)], *contents[(user,)], *own, *_batch_keys(attempts, user)}
                }
            )
        return found[0], found[1]

    def enrolled(self, user: str) -> list[BatchKey]:
        """Where the account has an enrolment now, active or not. Raises LernError."""
        return sorted(self._by_batch(self.tables.enrolments, [(user,)])[(user,)])

    def history(self, key: EnrolmentKey) -> EnrolmentHistory:
        """One account's history in one batch, as it is now. Raises LernError."""
        whole = (key.user_id, key.course_id, key.batch_id)
        batch_key = (key.course_id, key.batch_id)
        contents = self._by_batch(self.tables.content_consumption, [whole])[whole]
        enrolments = self._by_batch(self.tables.enrolments, [whole])[whole]
        figures = self._figures([(key.user_id, key.course_id)]).get(key.user_id, {})
        return EnrolmentHistory(
            enrolment=enrolments.get(batch_key, {}).get(()),
            contents=_single(contents.get(batch_key, {})),
            figures=figures.get(batch_key, {}),
            attempts=self._attempts([whole]).get(whole, {}),
        )

    def write(self, key: EnrolmentKey, plan: MergePlan, *, now: datetime, timestamp: int) -> None:
        """Write the plan: a content and an attempt in one statement each, so that no row is there by half.

        `timestamp` is the fencing token, in microseconds. Raises LernError.
        """
        whole = (key.user_id, key.course_id, key.batch_id)
        contents, attempts = self.tables.content_consumption, self.tables.assessments
        changes: list[Mutation] = [
            PutCells(table=contents, key=(*whole, content), cells=merged.cells, timestamp=timestamp)
            for content, merged in plan.contents.items()
            if merged.cells
        ]
        changes += [
            PutCells(table=attempts, key=(*whole, *attempt), cells=row, timestamp=timestamp)
            for attempt, row in plan.attempts.items()
        ]
        if plan.completed is not None:
            changes += self._completed(key, plan.completed, now, timestamp)
        changes += _columns_of_row(self.tables.enrolments, whole, plan.enrolment, timestamp)
        raise_first(self.gateway.apply(changes))

    def _completed(self, key: EnrolmentKey, completed: float, now: datetime, timestamp: int) -> list[Mutation]:
        """Put the one entry; all other entries of the maps, and the details, stay."""
        row = activity_aggregates.row_key(key, key.course_id)
        entries: dict[str, object] = {"aggregates": completed, "agg_last_updated": now}
        return [
            PutMap(
                table=self.tables.activity_agg,
                key=row,
                column=column,
                entries={COMPLETED_COUNT: value},
                timestamp=timestamp,
            )
            for column, value in entries.items()
        ]

    def _by_batch(self, table: Table, prefixes: Sequence[Key]) -> dict[Key, dict[BatchKey, dict[Key, Row]]]:
        """The rows under each prefix, by course and batch and the rest of their key."""
        key_columns = table.key[1:]
        found: dict[Key, dict[BatchKey, dict[Key, Row]]] = {}
        for prefix, rows in self._select(table, prefixes, (*key_columns, *self.columns[table])).items():
            batch_keys = found.setdefault(prefix, {})
            for row in rows:
                course, batch, *rest = (row[name] for name in key_columns)
                batch_keys.setdefault((course, batch), {})[tuple(rest)] = _values(row, self.columns[table])
        return found

    def _figures(self, courses: Sequence[tuple[str, str]]) -> dict[str, dict[BatchKey, dict[str, float]]]:
        """The figures of users in courses: the old `agg`, overlaid by `aggregates`."""
        table = self.tables.activity_agg
        prefixes = {_partition(user, course): (user, course) for user, course in courses}
        found: dict[str, dict[BatchKey, dict[str, float]]] = {}
        rows = self._select(table, list(prefixes), ("context_id", "agg", "aggregates"))
        for prefix, (user, course) in prefixes.items():
            for row in rows[prefix]:
                if row["context_id"].startswith(_CONTEXT):
                    batch_key = (course, row["context_id"].removeprefix(_CONTEXT))
                    figures = {**(row["agg"] or {}), **(row["aggregates"] or {})}
                    found.setdefault(user, {})[batch_key] = {name: float(value) for name, value in figures.items()}
        return found

    def _attempts(self, batch_keys: Sequence[Key]) -> dict[Key, dict[Attempt, Row]]:
        """The attempts by user, course and batch."""
        if not self.attempts:
            return {}
        table = self.tables.assessments
        rows = self._select(table, batch_keys, ("content_id", "attempt_id", *self.columns[table]))
        return {
            batch_key: {(row["content_id"], row["attempt_id"]): _values(row, self.columns[table]) for row in found}
            for batch_key, found in rows.items()
        }

    def _select(
        self, table: Table, prefixes: Sequence[Key], columns: Sequence[str]
    ) -> dict[Key, Sequence[Mapping[str, Any]]]:
        found = self.gateway.select_many(table, prefixes, columns)
        return {prefix: value_of(rows) for prefix, rows in found.items()}


def _columns(table: Table, there: frozenset[str]) -> tuple[str, ...]:
    """The columns beside the key, in the order of their declaration.

    Raises SchemaMismatch where one is missing that no installation lacks: of a table that is not seen, an account
    would have no rows, and the merge would be done without having merged anything.
    """
    missing = frozenset(table.columns) - table.optional - there
    if missing:
        raise SchemaMismatch(f"table {table.full_name} has no {', '.join(sorted(missing))}: run the migrations")
    return tuple(name for name in table.columns if name in there and name not in table.key)


def _partition(user: str, course: str) -> Key:
    """The first part of the key of a user's figures in a course, in all of its batches."""
    return activity_aggregates.row_key(EnrolmentKey(user_id=user, course_id=course, batch_id=""), course)[:3]


def _values(row: Mapping[str, Any], columns: Sequence[str]) -> Row:
    return {name: row[name] for name in columns if row[name] is not None}


def _single(rows: Mapping[Key, Row]) -> dict[str, Row]:
    return {content: row for (content,), row in rows.items()}


def _batch_keys(attempts: Mapping[Key, Mapping[Attempt, Row]], user: str) -> set[BatchKey]:
    return {(course, batch) for (owner, course, batch), rows in attempts.items() if owner == user and rows}


def _columns_of_row(table: Table, key: Key, row: Row, timestamp: int) -> list[Mutation]:
    """Each collection by itself, all other columns together."""
    collections = [name for name in row if table.columns[name].startswith(("list<", "map<"))]
    changes: list[Mutation] = [
        ReplaceCollection(table=table, key=key, column=name, value=row[name], timestamp=timestamp)
        for name in collections
    ]
    cells = {name: value for name, value in row.items() if name not in collections}
    if cells:
        changes.append(PutCells(table=table, key=key, cells=cells, timestamp=timestamp))
    return changes
