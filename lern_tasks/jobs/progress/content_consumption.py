"""`user_content_consumption`: what a learner did with each content. See docs/jobs/activity_aggregate_updater.md."""

from collections.abc import Mapping, Sequence

from lern_tasks.errors import LernError
from lern_tasks.jobs.progress.rules.content_counts import MergedContent, StoredContent
from lern_tasks.storage.gateway import Gateway, Mutation, PutCells, Row
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_COLUMNS = ("contentid", "status", "viewcount", "completedcount")


class ContentConsumption:
    """The contents of enrolments."""

    def __init__(self, gateway: Gateway, table: Table) -> None:
        self._gateway = gateway
        self._table = table

    def read(self, keys: Sequence[EnrolmentKey]) -> dict[EnrolmentKey, dict[str, StoredContent] | LernError]:
        """The contents of each enrolment, by content id."""
        prefixes = {key: (key.user_id, key.course_id, key.batch_id) for key in keys}
        found = self._gateway.select_many(self._table, list(prefixes.values()), _COLUMNS)
        return {key: _contents(found[prefix]) for key, prefix in prefixes.items()}

    def put_counts(self, key: EnrolmentKey, merged: Mapping[str, MergedContent], *, timestamp: int) -> list[Mutation]:
        """The changes that set the counters that changed; every other column is the learner service's."""
        return [
            PutCells(
                table=self._table,
                key=(key.user_id, key.course_id, key.batch_id, content),
                cells={"viewcount": entry.counts.view, "completedcount": entry.counts.completed},
                timestamp=timestamp,
            )
            for content, entry in merged.items()
            if entry.counts_changed
        ]


def _contents(rows: Sequence[Row] | LernError) -> dict[str, StoredContent] | LernError:
    if isinstance(rows, LernError):
        return rows
    return {
        row["contentid"]: StoredContent(
            status=row["status"], view_count=row["viewcount"], completed_count=row["completedcount"]
        )
        for row in rows
    }
