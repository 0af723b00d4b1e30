"""`lern.index_users`: the user cache from the tables, for all users or for those changed lately.

See docs/jobs/index_users.md.
"""

from datetime import UTC, datetime
from typing import Final

from celery import Task, current_app, shared_task

from lern_tasks import catalogue
from lern_tasks import settings as lern_settings
from lern_tasks.delivery.resources import Resources, process_resources
from lern_tasks.delivery.resumable.resumable_task import resumable_task
from lern_tasks.delivery.resumable.runner import PageFunction
from lern_tasks.delivery.task_sender import derived_id
from lern_tasks.jobs.users.index.pages import IndexPages
from lern_tasks.jobs.users.index.plan import YESTERDAY, plan_of

NAME: Final = "lern.index_users"

_LEASE = 600.0
"""Seconds that a run keeps others out between two pages: its next message may wait behind a replay in the queue."""

_DAILY_LOCK = 3600
"""Seconds: two beats a few minutes apart start one run, the next day's starts another."""


@resumable_task(NAME, doing="indexing users")
def index_users(*, since: str = YESTERDAY, refresh: bool = False, anonymous: bool = False) -> PageFunction:
    """Index users changed since a date, all of them, or copy users without account. Raises InvalidArgument."""
    ctx = process_resources(lern_settings.current(), current_app)
    return IndexPages(plan_of(since, refresh, anonymous, now_ms=ctx.now_ms()), lease=_LEASE)


@shared_task(name="lern.index_users_daily", bind=True)
def index_users_daily(self: Task) -> str:
    """Start the run of the day; its task id, by which it can be watched."""
    return start_daily(process_resources(lern_settings.current(), self.app))


def start_daily(ctx: Resources) -> str:
    """Send the run of this day, unless another beat has; its task id. Raises DependencyDown."""
    day = datetime.fromtimestamp(ctx.now_ms() / 1000, tz=UTC).date()
    task_id = derived_id("index_users", day)
    if ctx.idempotency_keys.claim(f"beat:index-users:{day}", expiry=_DAILY_LOCK):
        ctx.sender.send_named(NAME, {}, task_id=task_id, queue=catalogue.BULK_QUEUE)
    return task_id
