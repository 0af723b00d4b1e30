"""`lern.user_cache_updater`: what reports show of a user follows their profile. See docs/jobs/user_cache_updater.md."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lern_tasks.delivery.batch import Batch, BatchRecord, fail_each
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError, LockBusy
from lern_tasks.jobs.users.events import UserEvent, parse
from lern_tasks.jobs.users.profile_reads import ProfileReads
from lern_tasks.jobs.users.resources import UserResources
from lern_tasks.jobs.users.rules import sign_in as user_profile_event
from lern_tasks.jobs.users.rules.sign_in import Dated, SignInTypes
from lern_tasks.jobs.users.rules.update import decide_update
from lern_tasks.jobs.users.user_cache import Change, Entry
from lern_tasks.metrics import count

JOB: Final = "user_cache_updater"

_AT_ONCE = 20
"""Users whose locks are held together: while the user service is slow, few wait, and a time limit costs few reads."""


@dataclass(slots=True, kw_only=True)
class Group:
    """The records of one user in this message: they share one read and one write."""

    user_id: str
    items: list[BatchRecord[UserEvent]]

    @property
    def open(self) -> list[BatchRecord[UserEvent]]:
        """The records without an outcome."""
        return [item for item in self.items if item.outcome is None]


@event_job(JOB, parse=parse, resources=UserResources)
def user_cache_updater(batch: Batch[UserEvent], ctx: UserResources) -> None:
    """Read each user that events are about, and write what the cache holds of them."""
    reads = ProfileReads(ctx)
    groups = _groups(batch.open, ctx)
    for start in range(0, len(groups), _AT_ONCE):
        _update(groups[start : start + _AT_ONCE], reads, ctx)


def _groups(items: Iterable[BatchRecord[UserEvent]], ctx: UserResources) -> list[Group]:
    """The users of the events that say something; the others are skipped."""
    groups: dict[str, Group] = {}
    for item in items:
        if _registered(item, ctx) or _said(item, ctx):
            group = groups.setdefault(item.event.user_id, Group(user_id=item.event.user_id, items=[]))
            group.items.append(item)
        else:
            item.skip("another producer, and no sign-up or login type that is kept")
    return list(groups.values())


def _registered(item: BatchRecord[UserEvent], ctx: UserResources) -> bool:
    """Whether the event's producer speaks of registered users, whom the user service knows."""
    return item.event.producer == ctx.settings.user_cache_updater.regd_user_producer_pid


def _said(item: BatchRecord[UserEvent], ctx: UserResources) -> dict[str, Dated]:
    """The fields that the event itself says."""
    settings = ctx.settings.user_cache_updater
    types = SignInTypes(
        self_signed=frozenset(settings.user_self_signin_types),
        self_signed_name=settings.user_self_signin_key,
        validated=frozenset(settings.user_validated_types),
        validated_name=settings.user_valid_key,
    )
    time_ms = user_profile_event.event_time(item.event.ets, item.record.timestamp)
    fields = user_profile_event.event_fields(item.event.sign_up, item.event.login_role, types)
    return {name: Dated(time_ms=time_ms, value=value) for name, value in fields.items()}


def _update(groups: Sequence[Group], reads: ProfileReads, ctx: UserResources) -> None:
    names = {f"user-cache:{group.user_id}": group for group in groups}
    for holding in ctx.locks.acquire_in_batches(names, wait=ctx.settings.tasks.lock_wait):
        # Everything is read after the lock is held: the newest profile is written last, whatever the order of events.
        changes = [(names[name], token) for name, token in holding.tokens.items()]
        errors = ctx.user_cache.write(list(_changes(changes, reads, ctx)))
        lost = holding.release()
        count("lock-lost", len(lost), job=JOB)
        for name in holding.tokens:
            late = LockBusy("the lock was lost before the user was written") if name in lost else None
            _settle(names[name], late or errors.get(names[name].user_id))
    for group in groups:
        fail_each(group.items, LockBusy("another worker is busy with this user"))


def _changes(groups: Sequence[tuple[Group, int]], reads: ProfileReads, ctx: UserResources) -> Iterator[Change]:
    entries = ctx.user_cache.read(group.user_id for group, _ in groups)
    for group, token in groups:
        entry = entries[group.user_id]
        if isinstance(entry, LernError):
            fail_each(group.items, entry)
        else:
            yield from _change(group, entry, token, reads, ctx)


def _change(group: Group, entry: Entry, token: int, reads: ProfileReads, ctx: UserResources) -> Iterator[Change]:
    """The change of one user; none when there is nothing to write, and then no record is left open."""
    settings = ctx.settings.user_cache_updater
    profile = _profile(group, reads, ctx)
    update = decide_update(
        profile=profile,
        events=user_profile_event.newest(_said(item, ctx) for item in group.open),
        stored=entry.fields,
        event_times=entry.event_times,
        removable=settings.user_redis_removeable_fields,
        dynamic=settings.framework_fields != "legacy",
    )
    if update.fields:
        yield Change(
            user_id=group.user_id,
            token=token,
            fields=update.fields,
            removed=update.removed,
            event_times=update.event_times,
        )
    for item in group.open if not update.fields else ():
        item.skip("a blocked account, or a newer event came before: nothing is to be written")


def _profile(group: Group, reads: ProfileReads, ctx: UserResources) -> dict[str, str] | None:
    """What the user service says; None when no record asks for it, the account is blocked, or those records failed."""
    asking = [item for item in group.items if _registered(item, ctx)]
    if not asking:
        return None
    try:
        return reads.fields(group.user_id)
    except LernError as error:
        fail_each(asking, error)
        return None


def _settle(group: Group, error: LernError | None) -> None:
    """All records of the user that are still open have failed, or are done."""
    done = group.open
    if error is not None:
        fail_each(done, error)
        return
    for item in done:
        item.done()
    count("success-message-count", len(done), job=JOB)
    count("user-cache-hit", len(done), job=JOB)
