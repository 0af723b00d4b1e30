"""`user_activity_agg`: the scores of a learner's attempts, in the course's row.

See docs/jobs/assessment_aggregator.md, "Rows".
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from lern_tasks.errors import LernError
from lern_tasks.jobs.assessments.rules.summary import Summary, stale_figures
from lern_tasks.metrics import count
from lern_tasks.storage.gateway import Gateway, Mutation, Row
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.activity_aggregates import ActivityAggregates
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "assessment_aggregator"

_MAPS = ("aggregates", "agg_last_updated")


class Scores:
    """The scores of enrolments."""

    def __init__(self, gateway: Gateway, table: Table) -> None:
        self._gateway = gateway
        self._aggregates = ActivityAggregates(gateway, table)

    def read(self, keys: Sequence[EnrolmentKey]) -> dict[EnrolmentKey, Row | None | LernError]:
        """Both maps of each course row, whoever wrote their entries; None where there is no row."""
        return self._aggregates.read_rows(keys, _MAPS) if keys else {}

    def write(
        self,
        summaries: Mapping[EnrolmentKey, Summary],
        stored: Mapping[EnrolmentKey, Row | None],
        tokens: Mapping[EnrolmentKey, int],
        *,
        now: datetime,
    ) -> dict[EnrolmentKey, LernError]:
        """Write the scores of all enrolments at once, each with its lock's fencing token; the errors by enrolment.

        Of those in `stored`, as `read` gave it, the scores of contents without attempts go.
        """
        changes: list[Mutation] = []
        owners: list[EnrolmentKey] = []
        for key, summary in summaries.items():
            if summary.details or stored.get(key):
                own = self.changes(key, summary, now=now, timestamp=tokens[key], stored=stored.get(key))
                changes += own
                owners += [key] * len(own)
        results = self._gateway.apply(changes)
        errors = {owner: error for owner, error in zip(owners, results, strict=True) if error is not None}
        count("db-score-update-count", len(set(owners) - errors.keys()), job=JOB)
        return errors

    def changes(
        self, key: EnrolmentKey, summary: Summary, *, now: datetime, timestamp: int, stored: Row | None = None
    ) -> list[Mutation]:
        """Put the scores of each attempted content, and replace the details; other entries of the maps stay."""
        maps: dict[str, Mapping[str, Any]] = {
            "aggregates": summary.figures,
            "agg_last_updated": dict.fromkeys(summary.figures, now),
        }
        changes: list[Mutation] = []
        for column, entries in maps.items():
            found = (stored and stored[column]) or {}
            stale = stale_figures(found, summary)
            if stale:
                whole = {**{name: value for name, value in found.items() if name not in stale}, **entries}
                changes.append(self._aggregates.replace(key, key.course_id, column, whole, timestamp=timestamp))
            else:
                changes.append(self._aggregates.put(key, key.course_id, column, entries, timestamp=timestamp))
        details = list(summary.details)
        changes.append(self._aggregates.replace(key, key.course_id, "agg_details", details, timestamp=timestamp))
        return changes
