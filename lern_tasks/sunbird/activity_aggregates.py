"""`user_activity_agg`: a learner's figures in a course and its units.

See docs/jobs/activity_aggregate_updater.md and docs/jobs/assessment_aggregator.md, "Rows".
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from lern_tasks.errors import LernError
from lern_tasks.jobs.assessments.rules.summary import Summary, stale_figures
from lern_tasks.jobs.progress.rules.progress import Progress
from lern_tasks.storage.gateway import Gateway, Mutation, PutMap, ReplaceCollection, Row
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

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


def write_scores(
    table: Table, key: EnrolmentKey, summary: Summary, *, now: datetime, timestamp: int, stored: Row | None = None
) -> list[Mutation]:
    """Put the scores of each attempted content, and replace the details; other entries of the maps stay.

    `stored` are both maps as `read_entries` gave them, where the scores of contents without attempts shall go.
    """
    row = row_key(key, key.course_id)
    maps: dict[str, Mapping[str, object]] = {
        "aggregates": summary.figures,
        "agg_last_updated": dict.fromkeys(summary.figures, now),
    }
    changes: list[Mutation] = []
    for column, entries in maps.items():
        found = (stored and stored[column]) or {}
        stale = stale_figures(found, summary)
        if stale:
            kept = {name: value for name, value in found.items() if name not in stale}
            changes.append(
                ReplaceCollection(table=table, key=row, column=column, value={**kept, **entries}, timestamp=timestamp)
            )
        else:
            changes.append(PutMap(table=table, key=row, column=column, entries=entries, timestamp=timestamp))
    details = list(summary.details)
    changes.append(ReplaceCollection(table=table, key=row, column="agg_details", value=details, timestamp=timestamp))
    return changes


def read_entries(
    gateway: Gateway, table: Table, keys: Sequence[EnrolmentKey]
) -> dict[EnrolmentKey, Row | None | LernError]:
    """Both maps of each course row."""
    by_row = {key: row_key(key, key.course_id) for key in keys}
    found = gateway.get_many(table, list(by_row.values()), ("aggregates", "agg_last_updated"))
    return {key: found[row] for key, row in by_row.items()}


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
