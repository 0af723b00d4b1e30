"""`user_activity_agg`: a learner's figures in a course and its units. See docs/jobs/activity_aggregate_updater.md."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from lern_tasks.errors import LernError
from lern_tasks.rules.enrolment import EnrolmentKey
from lern_tasks.rules.progress import Progress
from lern_tasks.stores.gateway import Gateway, Mutation, PutMap
from lern_tasks.stores.tables import Table

_TYPE = "Course"
"""Courses and units alike, as in the data that exists."""

_COMPLETED = "completedCount"


def row_key(key: EnrolmentKey, activity_id: str) -> tuple[str, ...]:
    """The key of the row of a course or unit."""
    return (_TYPE, activity_id, key.user_id, f"cb:{key.batch_id}")


def write_completed(
    table: Table, key: EnrolmentKey, progress: Progress, *, now: datetime, timestamp: int
) -> list[Mutation]:
    """Put the number of completed contents of the course and its units; other entries of the maps stay."""
    counts = {key.course_id: progress.completed, **progress.units}
    entries: list[tuple[str, Mapping[str, object]]]
    mutations: list[Mutation] = []
    for activity_id, completed in counts.items():
        entries = [("aggregates", {_COMPLETED: float(completed)}), ("agg_last_updated", {_COMPLETED: now})]
        mutations += [
            PutMap(table=table, key=row_key(key, activity_id), column=column, entries=values, timestamp=timestamp)
            for column, values in entries
        ]
    return mutations


def read_figures(
    gateway: Gateway, table: Table, keys: Sequence[EnrolmentKey]
) -> dict[EnrolmentKey, dict[str, float] | LernError]:
    """All figures of each course row: the old `agg`, overlaid by `aggregates`."""
    by_row = {key: row_key(key, key.course_id) for key in keys}
    found = gateway.get_many(table, list(by_row.values()), ("agg", "aggregates"))
    answers: dict[EnrolmentKey, dict[str, float] | LernError] = {}
    for key, row in by_row.items():
        figures = found[row]
        if isinstance(figures, LernError):
            answers[key] = figures
        else:
            old, new = (figures["agg"] or {}, figures["aggregates"] or {}) if figures else ({}, {})
            answers[key] = {name: float(value) for name, value in {**old, **new}.items()}
    return answers
