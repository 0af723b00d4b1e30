"""Merging two accounts in one enrolment, under its locks. See docs/jobs/merge_user_courses.md, "Failure".

In this order: read, plan, note down in the ledger, write the rows, see that they are there, mark as done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lern_tasks.delivery.resources import Resources
from lern_tasks.errors import LockBusy, TransientError
from lern_tasks.jobs.accounts import ledger as merge_ledger
from lern_tasks.jobs.accounts.events import MergeRequest
from lern_tasks.jobs.accounts.rows import MergedRows
from lern_tasks.jobs.accounts.rules.merge import (
    NO_ENTRIES,
    NO_HISTORY,
    BatchKey,
    EnrolmentHistory,
    LedgerEntries,
    MergePlan,
    blocked_batches,
    plan,
)
from lern_tasks.jobs.accounts.rules.text_dates import DateFormat, date_format
from lern_tasks.metrics import count
from lern_tasks.storage.gateway import Key, Mutation
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import for_job

JOB: Final = "merge_user_courses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """One merge and what was read for it at its begin; the target's side is read again under each lock."""

    request: MergeRequest
    rows: MergedRows
    dates: DateFormat
    source: Mapping[BatchKey, EnrolmentHistory]
    target: Mapping[BatchKey, EnrolmentHistory]
    recorded: Mapping[BatchKey, LedgerEntries]
    blocked: frozenset[str]

    @property
    def pair(self) -> Key:
        """The source's and the target's id: whose ledger."""
        return (self.request.from_id, self.request.to_id)

    def key(self, batch_key: BatchKey) -> EnrolmentKey:
        """The target's enrolment."""
        return EnrolmentKey(user_id=self.request.to_id, course_id=batch_key[0], batch_id=batch_key[1])

    def first_plan(self, batch_key: BatchKey) -> MergePlan:
        """What there seems to be to do, from what was read at the begin."""
        recorded = self.recorded.get(batch_key, NO_ENTRIES)
        return self.plan(
            batch_key, self.target.get(batch_key, NO_HISTORY), recorded, may_copy=batch_key[1] not in self.blocked
        )

    def plan(
        self, batch_key: BatchKey, target: EnrolmentHistory, recorded: LedgerEntries, *, may_copy: bool
    ) -> MergePlan:
        """What is to do in one enrolment, with the target's side as given."""
        return plan(self.source[batch_key], target, recorded, may_copy=may_copy, dates=self.dates)


def read(request: MergeRequest, ctx: Resources) -> Merge:
    """Read both accounts and the ledger: a round trip a table. Raises LernError."""
    settings = ctx.settings.merge_user_courses
    rows = MergedRows.open(ctx.gateway, for_job(ctx.settings, JOB), attempts=settings.copy_attempts)
    source, target = rows.accounts(request.from_id, request.to_id)
    pair = (request.from_id, request.to_id)
    return Merge(
        request=request,
        rows=rows,
        dates=date_format(settings.course_date_format),
        source=source,
        target=target,
        recorded=merge_ledger.read(ctx.gateway, rows.tables.merge_ledger, pair),
        blocked=blocked_batches(_enrolled(source), _enrolled(target)),
    )


def merge_enrolment(merge: Merge, batch_key: BatchKey, *, may_copy: bool, ctx: Resources) -> None:
    """Merge one enrolment. Raises LernError: LockBusy when somebody else is at it."""
    key = merge.key(batch_key).text
    names = [f"progress:{key}", *([f"certificate:{key}"] if may_copy else [])]
    holding = ctx.locks.acquire_all(names, wait=ctx.settings.tasks.lock_wait)
    if holding is None:
        raise LockBusy("another worker is busy with this enrolment")
    try:
        # All locks of one call have the same token.
        _write(merge, batch_key, may_copy=may_copy, token=holding.tokens[names[0]], ctx=ctx)
    finally:
        lost = holding.release()
    if lost:
        count("lock-lost", len(lost), job=JOB)
        raise LockBusy("the lock was lost before the rows were written")


def _write(merge: Merge, batch_key: BatchKey, *, may_copy: bool, token: int, ctx: Resources) -> None:
    ledger, key = merge.rows.tables.merge_ledger, merge.key(batch_key)
    recorded = merge_ledger.read(ctx.gateway, ledger, merge.pair, batch_key).get(batch_key, NO_ENTRIES)
    made = merge.plan(batch_key, merge.rows.history(key), recorded, may_copy=may_copy)
    if made.empty:
        return
    now = datetime.fromtimestamp(ctx.now_ms() / 1000, tz=UTC)
    _apply(merge_ledger.intend(ledger, merge.pair, batch_key, made, timestamp=token), ctx)
    _apply(merge.rows.write(key, made, now=now, timestamp=token), ctx)
    if merge.plan(batch_key, merge.rows.history(key), made.intended(recorded), may_copy=may_copy).writes:
        # The learner service writes by Cassandra's clock and without our locks: its later cells hide ours.
        raise TransientError("a row was written by somebody else meanwhile, at a later time than ours")
    _apply(merge_ledger.finish(ledger, merge.pair, batch_key, made, timestamp=token + 1), ctx)


def _apply(changes: Sequence[Mutation], ctx: Resources) -> None:
    for error in ctx.gateway.apply(changes):
        if error is not None:
            raise error


def _enrolled(histories: Mapping[BatchKey, EnrolmentHistory]) -> list[BatchKey]:
    return [batch_key for batch_key, history in histories.items() if history.enrolment is not None]
