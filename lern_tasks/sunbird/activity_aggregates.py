"""`user_activity_agg`: a learner's figures in a course and its units.

See docs/jobs/activity_aggregate_updater.md and docs/jobs/assessment_aggregator.md, "Rows".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lern_tasks.errors import LernError
from lern_tasks.storage.gateway import Gateway, Mutation, PutMap, ReplaceCollection, Row
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_TYPE = "Course"
"""Courses and units alike, as in the data that exists."""


def row_key(key: EnrolmentKey, activity_id: str) -> tuple[str, ...]:
    """The key of the row of a course or unit."""
    return (_TYPE, activity_id, key.user_id, f"cb:{key.batch_id}")


class ActivityAggregates:
    """The rows of courses and units; changes are made here and applied by who makes them, with others."""

    def __init__(self, gateway: Gateway, table: Table) -> None:
        self._gateway = gateway
        self._table = table

    def read_rows(
        self, keys: Sequence[EnrolmentKey], columns: Sequence[str]
    ) -> dict[EnrolmentKey, Row | None | LernError]:
        """The named columns of each course row, None where there is no row."""
        by_row = {key: row_key(key, key.course_id) for key in keys}
        found = self._gateway.get_many(self._table, list(by_row.values()), columns)
        return {key: found[row] for key, row in by_row.items()}

    def read_figures(self, keys: Sequence[EnrolmentKey]) -> dict[EnrolmentKey, dict[str, float] | LernError]:
        """All figures of each course row: the old `agg`, overlaid by `aggregates`."""
        answers: dict[EnrolmentKey, dict[str, float] | LernError] = {}
        for key, row in self.read_rows(keys, ("agg", "aggregates")).items():
            if isinstance(row, LernError):
                answers[key] = row
            else:
                old, new = (row["agg"] or {}, row["aggregates"] or {}) if row else ({}, {})
                answers[key] = {name: float(value) for name, value in {**old, **new}.items()}
        return answers

    def put(
        self, key: EnrolmentKey, activity_id: str, column: str, entries: Mapping[str, Any], *, timestamp: int
    ) -> Mutation:
        """The change that sets single entries of a map; its other entries stay."""
        return PutMap(
            table=self._table, key=row_key(key, activity_id), column=column, entries=entries, timestamp=timestamp
        )

    def replace(self, key: EnrolmentKey, activity_id: str, column: str, value: Any, *, timestamp: int) -> Mutation:
        """The change that replaces a whole map or list."""
        return ReplaceCollection(
            table=self._table, key=row_key(key, activity_id), column=column, value=value, timestamp=timestamp
        )
