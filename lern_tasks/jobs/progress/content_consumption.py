"""`user_content_consumption`: what a learner did with each content. See docs/jobs/activity_aggregate_updater.md."""

from collections.abc import Mapping, Sequence

from lern_tasks.errors import LernError
from lern_tasks.jobs.progress.rules.content_counts import MergedContent, StoredContent
from lern_tasks.storage.gateway import Gateway, Mutation, PutCells
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_COLUMNS = ("contentid", "status", "viewcount", "completedcount")


def read(
    gateway: Gateway, table: Table, keys: Sequence[EnrolmentKey]
) -> dict[EnrolmentKey, dict[str, StoredContent] | LernError]:
    """The contents of each enrolment, by content id."""
    prefixes = {key: (key.user_id, key.course_id, key.batch_id) for key in keys}
    found = gateway.select_many(table, list(prefixes.values()), _COLUMNS)
    answers: dict[EnrolmentKey, dict[str, StoredContent] | LernError] = {}
    for key, prefix in prefixes.items():
        rows = found[prefix]
        answers[key] = (
            rows
            if isinstance(rows, LernError)
            else {
                row["contentid"]: StoredContent(
                    status=row["status"], view_count=row["viewcount"], completed_count=row["completedcount"]
                )
                for row in rows
            }
        )
    return answers


def write_counts(
    table: Table, key: EnrolmentKey, merged: Mapping[str, MergedContent], *, timestamp: int
) -> list[Mutation]:
    """Write the counters that changed; every other column is the learner service's."""
    return [
        PutCells(
            table=table,
            key=(key.user_id, key.course_id, key.batch_id, content),
            cells={"viewcount": entry.counts.view, "completedcount": entry.counts.completed},
            timestamp=timestamp,
        )
        for content, entry in merged.items()
        if entry.counts_changed
    ]
