"""`merge_ledger`, a table of our own: what was added from one account to another. See docs/jobs/merge_user_courses.md.

Intents are written before the rows of the accounts, and marked as done after them.
"""

from lern_tasks.errors import LernError
from lern_tasks.jobs.accounts.rules.content import Amounts, LedgerEntry
from lern_tasks.jobs.accounts.rules.merge import BatchKey, LedgerEntries, MergePlan
from lern_tasks.storage.gateway import Gateway, Key, Mutation, PutCells, Row
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


def read(gateway: Gateway, table: Table, pair: Key, batch_key: BatchKey | None = None) -> dict[BatchKey, LedgerEntries]:
    """What was added, by course and batch; `pair` is the source's and the target's id. Raises LernError."""
    prefix = (*pair, *(batch_key or ()))
    rows = gateway.select_many(table, [prefix], _COLUMNS)[prefix]
    if isinstance(rows, LernError):
        raise rows
    contents: dict[BatchKey, dict[str, LedgerEntry]] = {}
    copied: dict[BatchKey, bool | None] = {}
    for row in rows:
        at = (row["course_id"], row["batch_id"])
        entries = contents.setdefault(at, {})
        if row["content_id"] == _ENROLMENT and row["enrolment_copied"] is not None:
            copied[at] = row["enrolment_copied"]
        if row["added_views"] is not None or row["added_completions"] is not None:
            entries[row["content_id"]] = _entry(row)
    return {at: LedgerEntries(contents=entries, copied=copied.get(at)) for at, entries in contents.items()}


def intend(table: Table, pair: Key, batch_key: BatchKey, plan: MergePlan, *, timestamp: int) -> list[Mutation]:
    """Note down what the plan is about to do."""
    changes: list[Mutation] = [
        PutCells(table=table, key=(*pair, *batch_key, content), cells=_cells(merged.entry), timestamp=timestamp)
        for content, merged in plan.contents.items()
        if merged.entry is not None
    ]
    return changes + _copied(table, pair, batch_key, plan, done=False, timestamp=timestamp)


def finish(table: Table, pair: Key, batch_key: BatchKey, plan: MergePlan, *, timestamp: int) -> list[Mutation]:
    """Mark as done what the plan has done; `timestamp` is later than that of the intent."""
    changes: list[Mutation] = [
        PutCells(table=table, key=(*pair, *batch_key, content), cells={"done": True}, timestamp=timestamp)
        for content, merged in plan.contents.items()
        if merged.entry is not None
    ]
    return changes + _copied(table, pair, batch_key, plan, done=True, timestamp=timestamp)


def _copied(
    table: Table, pair: Key, batch_key: BatchKey, plan: MergePlan, *, done: bool, timestamp: int
) -> list[Mutation]:
    if not plan.copying:
        return []
    key = (*pair, *batch_key, _ENROLMENT)
    return [PutCells(table=table, key=key, cells={"enrolment_copied": done}, timestamp=timestamp)]


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
