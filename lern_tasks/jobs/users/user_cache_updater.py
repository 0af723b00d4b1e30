"""`lern.user_cache_updater`: what reports show of a user follows their profile. See docs/jobs/user_cache_updater.md."""

from collections.abc import Iterable, Iterator, Mapping

from lern_tasks.connections.calls import calling_for
from lern_tasks.delivery.batch import Batch, BatchRecord, fail_each
from lern_tasks.delivery.locked_groups import Group, grouped, locked_groups
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError
from lern_tasks.jobs.users.events import UserEvent, parse
from lern_tasks.jobs.users.profile_reads import ProfileReads
from lern_tasks.jobs.users.resources import JOB, UserResources
from lern_tasks.jobs.users.rules.sign_in import Dated, SignInTypes, event_fields, event_time, newest
from lern_tasks.jobs.users.rules.update import Update, decide_update
from lern_tasks.jobs.users.user_cache import Change, Entry
from lern_tasks.metrics import count

_AT_ONCE = 20
"""Users whose locks are held together: while the user service is slow, few wait, and a time limit costs few reads."""

UserGroup = Group[str, UserEvent]
"""The records of one user in this message."""


@event_job(JOB, parse=parse, resources=UserResources)
def user_cache_updater(batch: Batch[UserEvent], ctx: UserResources) -> None:
    """Read each user that events are about, and write what the cache holds of them."""
    _skip_without_fields(batch, ctx)
    groups = list(grouped(batch, by=lambda event: event.user_id).values())
    profiles = ProfileReads(ctx)
    for start in range(0, len(groups), _AT_ONCE):
        for held in locked_groups(groups[start : start + _AT_ONCE], ctx, job=JOB, lock=_lock, about="user"):
            # Everything is read after the lock is held: the newest profile is written last, whatever the events' order.
            cached = held.found(ctx.user_cache.read(held.keys))
            updates = {group.key: _decide(group, cached[group.key], profiles, ctx) for group in held.open}
            held.fail(ctx.user_cache.write([*_changes(held.open, updates)]))
            for group in held.release():
                count("success-message-count", len(group.open), job=JOB)
                count("user-cache-hit", len(group.open), job=JOB)
                group.done()


def _lock(user_id: str) -> str:
    return f"user-cache:{user_id}"


def _skip_without_fields(batch: Batch[UserEvent], ctx: UserResources) -> None:
    """Skip the events that neither ask for the profile nor say something of the user themselves."""
    for record in batch.open:
        if not (_asks_for_profile(record, ctx) or _event_fields(record, ctx)):
            record.skip("another producer, and no sign-up or login type that is kept")


def _asks_for_profile(record: BatchRecord[UserEvent], ctx: UserResources) -> bool:
    """Whether the event's producer speaks of registered users, whom the user service knows."""
    return record.event.producer == ctx.settings.user_cache_updater.regd_user_producer_pid


def _event_fields(record: BatchRecord[UserEvent], ctx: UserResources) -> dict[str, Dated]:
    """The fields that the event itself says."""
    settings = ctx.settings.user_cache_updater
    types = SignInTypes(
        self_signed=frozenset(settings.user_self_signin_types),
        self_signed_name=settings.user_self_signin_key,
        validated=frozenset(settings.user_validated_types),
        validated_name=settings.user_valid_key,
    )
    time_ms = event_time(record.event.ets, record.record.timestamp)
    fields = event_fields(record.event.sign_up, record.event.login_role, types)
    return {name: Dated(time_ms=time_ms, value=value) for name, value in fields.items()}


def _decide(group: UserGroup, cached: Entry, profiles: ProfileReads, ctx: UserResources) -> Update:
    """What the user's profile and the records that have not failed change."""
    settings = ctx.settings.user_cache_updater
    profile = _profile(group, profiles, ctx)
    return decide_update(
        profile=profile,
        events=newest(_event_fields(record, ctx) for record in group.open),
        stored=cached.fields,
        event_times=cached.event_times,
        removable=settings.user_redis_removeable_fields,
        dynamic=settings.framework_fields != "legacy",
        erased=profile is None and any(r.event.deleted and _asks_for_profile(r, ctx) for r in group.open),
    )


def _profile(group: UserGroup, profiles: ProfileReads, ctx: UserResources) -> dict[str, str] | None:
    """What the user service says; None when no record asks for it, the account is blocked, or those records failed."""
    asking = [record for record in group.records if _asks_for_profile(record, ctx)]
    if not asking:
        return None
    try:
        with calling_for(asking[0].record.identity):
            return profiles.fields(group.key)
    except LernError as error:
        fail_each(asking, error)
        return None


def _changes(groups: Iterable[UserGroup], updates: Mapping[str, Update]) -> Iterator[Change]:
    """What is to be written; records with which nothing is to be written are skipped."""
    for group in groups:
        update = updates[group.key]
        if update.fields or update.removed:
            yield Change(
                user_id=group.key,
                token=group.token,
                fields=update.fields,
                removed=update.removed,
                event_times=update.event_times,
            )
        else:
            group.skip("a blocked account, or a newer event came before: nothing is to be written")
