"""Merging two accounts in one enrolment, under its locks. See docs/jobs/merge_user_courses.md, "Failure".

In this order: read, plan, write ahead to the ledger, write the rows, see that they are there, mark as done.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lern_tasks.delivery.locked_groups import all_locked
from lern_tasks.errors import TransientError
from lern_tasks.jobs.accounts.events import MergeRequest
from lern_tasks.jobs.accounts.resources import JOB, AccountResources
from lern_tasks.jobs.accounts.rows import MergedRows
from lern_tasks.jobs.accounts.rules.merge import (
    NO_ENTRIES,
    NO_HISTORY,
    BatchKey,
    EnrolmentHistory,
    LedgerEntries,
    MergePlan,
    blocked_batches,
    plan_merge,
)
from lern_tasks.jobs.accounts.rules.text_dates import DateFormat, date_format
from lern_tasks.jobs.certificates.api import certificate_lock
from lern_tasks.jobs.progress.api import progress_lock
from lern_tasks.storage.gateway import Key
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """One merge and what was read for it at its begin; the target's side is read again under each lock."""

    request: MergeRequest
    rows: MergedRows
    dates: DateFormat
    source: Mapping[BatchKey, EnrolmentHistory]
    target: Mapping[BatchKey, EnrolmentHistory]
    entries: Mapping[BatchKey, LedgerEntries]
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
        entries = self.entries.get(batch_key, NO_ENTRIES)
        return self.plan(
            batch_key, self.target.get(batch_key, NO_HISTORY), entries, may_copy=batch_key[1] not in self.blocked
        )

    def plan(
        self, batch_key: BatchKey, target: EnrolmentHistory, entries: LedgerEntries, *, may_copy: bool
    ) -> MergePlan:
        """What is to do in one enrolment, with the target's side as given."""
        return plan_merge(self.source[batch_key], target, entries, may_copy=may_copy, dates=self.dates)


def read(request: MergeRequest, ctx: AccountResources) -> Merge:
    """Read both accounts and the ledger: a round trip a table. Raises LernError."""
    rows = ctx.merged_rows()
    source, target = rows.accounts(request.from_id, request.to_id)
    return Merge(
        request=request,
        rows=rows,
        dates=date_format(ctx.settings.merge_user_courses.course_date_format),
        source=source,
        target=target,
        entries=ctx.merge_ledger.read((request.from_id, request.to_id)),
        blocked=blocked_batches(_enrolled(source), _enrolled(target)),
    )


def merge_enrolment(merge: Merge, batch_key: BatchKey, *, may_copy: bool, ctx: AccountResources) -> None:
    """Merge one enrolment. Raises LernError: LockBusy when somebody else is at it."""
    key = merge.key(batch_key)
    names = [progress_lock(key), *([certificate_lock(key)] if may_copy else [])]
    with all_locked(names, ctx, job=JOB, busy="another worker is busy with this enrolment") as token:
        entries = ctx.merge_ledger.read(merge.pair, batch_key).get(batch_key, NO_ENTRIES)
        plan = merge.plan(batch_key, merge.rows.history(key), entries, may_copy=may_copy)
        if plan.empty:
            return
        ctx.merge_ledger.write_ahead(merge.pair, batch_key, plan, timestamp=token)
        merge.rows.write(key, plan, now=ctx.now(), timestamp=token)
        if merge.plan(batch_key, merge.rows.history(key), plan.intended(entries), may_copy=may_copy).writes:
            # The learner service writes by Cassandra's clock and without our locks: its later cells hide ours.
            raise TransientError("a row was written by somebody else meanwhile, at a later time than ours")
        ctx.merge_ledger.mark_done(merge.pair, batch_key, plan, timestamp=token + 1)


def _enrolled(histories: Mapping[BatchKey, EnrolmentHistory]) -> list[BatchKey]:
    return [batch_key for batch_key, history in histories.items() if history.enrolment is not None]
