"""`lern.merge_user_courses`: what a learner did under an old account is added to the new one.

See docs/jobs/merge_user_courses.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lern_tasks.base import task
from lern_tasks.batch import Batch, Item
from lern_tasks.counters import count
from lern_tasks.errors import LernError, LockBusy, SendAgain, SettingsError
from lern_tasks.events.merge_user_courses import MergeRequest, parse
from lern_tasks.logs import logger
from lern_tasks.rules.account_merge import History, MergePlan, Place
from lern_tasks.tasks import merge_follow_ups
from lern_tasks.tasks.merge_enrolment import JOB, Merge, merge_enrolment, read
from lern_tasks.wiring import World

_log = logger(__name__)

_TIME_SHARE = 2 / 3
"""Of the soft time limit: what is left is enough for one more enrolment, a busy lock's wait included."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge whose rows are written: what it changed in which enrolment of the target."""

    merge: Merge
    plans: Mapping[Place, MergePlan]


@task(job=JOB, parse=parse)
def merge_user_courses(batch: Batch[MergeRequest], world: World) -> None:
    """Add contents, counts and enrolments of one account to another, and let its progress be computed anew."""
    for item in batch.open:
        try:
            _follow_up(item, _locked(item.event, world), world)
        except SettingsError:
            raise  # no record's fault: all wait until the setting is mended
        except LernError as error:
            item.fail(error)
        else:
            count("success-events-count", job=JOB)
            item.done()


def _locked(request: MergeRequest, world: World) -> Merged:
    """Write the rows while nobody else merges one of both accounts."""
    names = [f"merge:{user}" for user in sorted((request.from_id, request.to_id))]
    holding = world.locks.together(names, wait=world.settings.tasks.lock_wait)
    if holding is None:
        raise LockBusy("another worker merges one of these accounts")
    try:
        merged = _rows(request, world)
    finally:
        lost = holding.release()
    if lost:
        count("lock-lost", len(lost), job=JOB)
        raise LockBusy("the lock was lost before all rows were written")
    return merged


def _rows(request: MergeRequest, world: World) -> Merged:
    """One enrolment after the other, until all are done or the time is nearly over."""
    time_ms = _TIME_SHARE * 1000 * world.settings.merge_user_courses.soft_time_limit
    started_ms = world.now_ms()
    merge = read(request, world)
    plans: dict[Place, MergePlan] = {}
    for place in sorted(merge.source):
        first = merge.first_plan(place)
        if first.unreadable:
            # Columns alone: what is in them belongs to a person.
            _log.warning("text_dates_unreadable", columns=sorted(first.unreadable), course_id=place[0])
        if first.empty:
            continue
        if plans and world.now_ms() - started_ms > time_ms:
            raise SendAgain("a large account: what is merged is in the ledger, the rest follows")
        plans[place] = merge_enrolment(merge, place, may_copy=first.copying, world=world)
    return Merged(merge, plans)


def _follow_up(item: Item[MergeRequest], merged: Merged, world: World) -> None:
    """Hand on; last of all publish. Where an earlier delivery may have died in between, all that both share."""
    merge, plans, again = merged.merge, merged.plans, item.delivered_before
    places = merge.rows.enrolled(merge.request.to_id)
    changed = {place for place, made in plans.items() if made.touches_progress}
    affected = [place for place in places if place in changed or (again and place in merge.source)]
    merge_follow_ups.reconcile([merge.key(place) for place in affected], item.record, world)
    scored = {
        (merge.key(place), content)
        for place, history in merge.source.items()
        for content, _ in _attempts(history, plans.get(place), again=again)
    }
    merge_follow_ups.recompute_scores(sorted(scored), item.record, world)
    published = merge_follow_ups.publish_syncs([merge.key(place) for place in places], world)
    count("db-update-user-course-batch", published, job=JOB)


def _attempts(history: History, made: MergePlan | None, *, again: bool) -> list[tuple[str, str]]:
    """The attempts whose scores are to be computed anew."""
    if again:
        return list(history.attempts)
    return list(made.attempts) if made is not None else []
