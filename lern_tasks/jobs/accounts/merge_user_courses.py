"""`lern.merge_user_courses`: what a learner did under an old account is added to the new one.

See docs/jobs/merge_user_courses.md.
"""

from lern_tasks.delivery.batch import Batch
from lern_tasks.delivery.locked_groups import all_locked
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError, Requeue, SettingsError
from lern_tasks.jobs.accounts import follow_ups
from lern_tasks.jobs.accounts.events import MergeRequest, parse
from lern_tasks.jobs.accounts.merge_enrolment import Merge, merge_enrolment, read
from lern_tasks.jobs.accounts.resources import JOB, AccountResources
from lern_tasks.logs import logger
from lern_tasks.metrics import count

_log = logger(__name__)

_TIME_SHARE = 2 / 3
"""Of the soft time limit: what is left is enough for one more enrolment, a busy lock's wait included."""


@event_job(JOB, parse=parse, resources=AccountResources)
def merge_user_courses(batch: Batch[MergeRequest], ctx: AccountResources) -> None:
    """Add contents, counts and enrolments of one account to another, and let its progress be computed anew."""
    for record in batch.open:
        try:
            _merge(record.event, record.record, ctx)
        except SettingsError:
            raise  # no record's fault: all wait until the setting is mended
        except LernError as error:
            record.fail(error)
        else:
            count("success-events-count", job=JOB)
            record.done()


def _merge(request: MergeRequest, cause: Record, ctx: AccountResources) -> None:
    """Write the rows while nobody else merges one of both accounts; then hand off."""
    names = [f"merge:{user}" for user in sorted((request.from_id, request.to_id))]
    with all_locked(names, ctx, job=JOB, busy="another worker merges one of these accounts"):
        until_ms = ctx.now_ms() + _TIME_SHARE * 1000 * ctx.settings.merge_user_courses.soft_time_limit
        merge = read(request, ctx)
        _write(merge, until_ms, ctx)
    _follow_up(merge, cause, ctx)


def _write(merge: Merge, until_ms: float, ctx: AccountResources) -> None:
    """One enrolment after the other, until all are done or the time is nearly over."""
    begun = False
    for batch_key in sorted(merge.source):
        first = merge.first_plan(batch_key)
        if first.unreadable:
            # Columns alone: what is in them belongs to a person.
            _log.warning("text_dates_unreadable", columns=sorted(first.unreadable), course_id=batch_key[0])
        if first.empty:
            continue
        if begun and ctx.now_ms() > until_ms:
            raise Requeue("a large account: what is merged is in the ledger, the rest follows")
        begun = True
        merge_enrolment(merge, batch_key, may_copy=first.copying, ctx=ctx)


def _follow_up(merge: Merge, cause: Record, ctx: AccountResources) -> None:
    """Hand off; last of all publish.

    What is handed off follows from the rows alone, not from what this delivery changed: whatever was lost with a worker
    or with the broker, the same event sent again makes up for it.
    """
    batch_keys = merge.rows.enrolled(merge.request.to_id)
    follow_ups.reconcile([merge.key(batch_key) for batch_key in batch_keys if batch_key in merge.source], cause, ctx)
    scored = {(merge.key(at), content) for at, history in merge.source.items() for content, _ in history.attempts}
    follow_ups.recompute_scores(sorted(scored), cause, ctx)
    published = follow_ups.publish_syncs([merge.key(batch_key) for batch_key in batch_keys], ctx)
    count("db-update-user-course-batch", published, job=JOB)
