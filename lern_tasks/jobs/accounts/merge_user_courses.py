"""`lern.merge_user_courses`: what a learner did under an old account is added to the new one.

See docs/jobs/merge_user_courses.md.
"""

from lern_tasks.delivery.batch import Batch
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError, LockBusy, Requeue, SettingsError
from lern_tasks.jobs.accounts import follow_ups
from lern_tasks.jobs.accounts.events import MergeRequest, parse
from lern_tasks.jobs.accounts.merge_enrolment import JOB, Merge, merge_enrolment, read
from lern_tasks.logs import logger
from lern_tasks.metrics import count

_log = logger(__name__)

_TIME_SHARE = 2 / 3
"""Of the soft time limit: what is left is enough for one more enrolment, a busy lock's wait included."""


@event_job(JOB, parse=parse, resources=Resources)
def merge_user_courses(batch: Batch[MergeRequest], ctx: Resources) -> None:
    """Add contents, counts and enrolments of one account to another, and let its progress be computed anew."""
    for item in batch.open:
        try:
            _follow_up(_locked(item.event, ctx), item.record, ctx)
        except SettingsError:
            raise  # no record's fault: all wait until the setting is mended
        except LernError as error:
            item.fail(error)
        else:
            count("success-events-count", job=JOB)
            item.done()


def _locked(request: MergeRequest, ctx: Resources) -> Merge:
    """Write the rows while nobody else merges one of both accounts."""
    names = [f"merge:{user}" for user in sorted((request.from_id, request.to_id))]
    holding = ctx.locks.acquire_all(names, wait=ctx.settings.tasks.lock_wait)
    if holding is None:
        raise LockBusy("another worker merges one of these accounts")
    try:
        merge = _rows(request, ctx)
    finally:
        lost = holding.release()
    if lost:
        count("lock-lost", len(lost), job=JOB)
        raise LockBusy("the lock was lost before all rows were written")
    return merge


def _rows(request: MergeRequest, ctx: Resources) -> Merge:
    """One enrolment after the other, until all are done or the time is nearly over."""
    time_ms = _TIME_SHARE * 1000 * ctx.settings.merge_user_courses.soft_time_limit
    started_ms = ctx.now_ms()
    merge = read(request, ctx)
    begun = False
    for batch_key in sorted(merge.source):
        first = merge.first_plan(batch_key)
        if first.unreadable:
            # Columns alone: what is in them belongs to a person.
            _log.warning("text_dates_unreadable", columns=sorted(first.unreadable), course_id=batch_key[0])
        if first.empty:
            continue
        if begun and ctx.now_ms() - started_ms > time_ms:
            raise Requeue("a large account: what is merged is in the ledger, the rest follows")
        begun = True
        merge_enrolment(merge, batch_key, may_copy=first.copying, ctx=ctx)
    return merge


def _follow_up(merge: Merge, cause: Record, ctx: Resources) -> None:
    """Hand on; last of all publish.

    What is handed on follows from the rows alone, not from what this delivery changed: whatever was lost with a worker
    or with the broker, the same event sent again makes up for it.
    """
    batch_keys = merge.rows.enrolled(merge.request.to_id)
    follow_ups.reconcile([merge.key(batch_key) for batch_key in batch_keys if batch_key in merge.source], cause, ctx)
    scored = {(merge.key(at), content) for at, history in merge.source.items() for content, _ in history.attempts}
    follow_ups.recompute_scores(sorted(scored), cause, ctx)
    published = follow_ups.publish_syncs([merge.key(batch_key) for batch_key in batch_keys], ctx)
    count("db-update-user-course-batch", published, job=JOB)
