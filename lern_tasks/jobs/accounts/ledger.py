"""`merge_ledger`, a table of our own: what was added from one account to another. See docs/jobs/merge_user_courses.md.

Intents are written ahead of the rows of the accounts, and marked as done after them.
"""

from collections.abc import Mapping

from lern_tasks.jobs.accounts.rules.content import Amounts, LedgerEntry
from lern_tasks.jobs.accounts.rules.merge import BatchKey, LedgerEntries, MergePlan
from lern_tasks.storage.gateway import Gateway, Key, PutCells, Row, raise_first, value_of
from lern_tasks.storage.table import Table

_COLUMNS = (
    "course_id",
    "batch_id",
    "content_id",
    "added_views",
    "added_completions",
    "intended_views",
    "intended_completions",
    "done",
    "enrolment_copied",
)

_ENROLMENT = ""
"""The content id of the row about the enrolment itself."""


class MergeLedger:
    """What was added, by account pair (the source's id and the target's), course and batch. Methods raise LernError."""

    def __init__(self, gateway: Gateway, table: Table) -> None:
        self._gateway = gateway
        self._table = table

    def read(self, pair: Key, batch_key: BatchKey | None = None) -> dict[BatchKey, LedgerEntries]:
        """The entries of a pair, in one batch of a course or in all."""
        prefix = (*pair, *(batch_key or ()))
        contents: dict[BatchKey, dict[str, LedgerEntry]] = {}
        copied: dict[BatchKey, bool | None] = {}
        for row in value_of(self._gateway.select_many(self._table, [prefix], _COLUMNS)[prefix]):
            at = (row["course_id"], row["batch_id"])
            entries = contents.setdefault(at, {})
            if row["content_id"] == _ENROLMENT and row["enrolment_copied"] is not None:
                copied[at] = row["enrolment_copied"]
            if row["added_views"] is not None or row["added_completions"] is not None:
                entries[row["content_id"]] = _entry(row)
        return {at: LedgerEntries(contents=entries, copied=copied.get(at)) for at, entries in contents.items()}

    def write_ahead(self, pair: Key, batch_key: BatchKey, plan: MergePlan, *, timestamp: int) -> None:
        """Write what the plan is about to do, ahead of the rows of the accounts."""
        rows = {content: _cells(merged.entry) for content, merged in plan.contents.items() if merged.entry is not None}
        self._write((*pair, *batch_key), rows, timestamp, copied=False if plan.copying else None)

    def mark_done(self, pair: Key, batch_key: BatchKey, plan: MergePlan, *, timestamp: int) -> None:
        """Mark as done what the plan has done; `timestamp` is later than that of the intent."""
        rows = {content: {"done": True} for content, merged in plan.contents.items() if merged.entry is not None}
        self._write((*pair, *batch_key), rows, timestamp, copied=True if plan.copying else None)

    def _write(
        self, prefix: Key, rows: Mapping[str, Mapping[str, object]], timestamp: int, *, copied: bool | None
    ) -> None:
        cells = [*rows.items(), *([(_ENROLMENT, {"enrolment_copied": copied})] if copied is not None else [])]
        changes = [
            PutCells(table=self._table, key=(*prefix, content), cells=row, timestamp=timestamp)
            for content, row in cells
        ]
        raise_first(self._gateway.apply(changes))


def _cells(entry: LedgerEntry) -> dict[str, object]:
    return {
        "added_views": entry.added.views,
        "added_completions": entry.added.completions,
        "intended_views": entry.intended.views,
        "intended_completions": entry.intended.completions,
        "done": False,
    }


def _entry(row: Row) -> LedgerEntry:
    return LedgerEntry(
        added=Amounts(views=row["added_views"] or 0, completions=row["added_completions"] or 0),
        intended=Amounts(views=row["intended_views"] or 0, completions=row["intended_completions"] or 0),
        done=bool(row["done"]),
    )
