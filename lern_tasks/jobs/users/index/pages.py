"""A page of the bulk user index, for the task and for the command. See docs/jobs/index_users.md, "Rules"."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from lern_tasks.delivery.resumable.checkpoints import Checkpoint
from lern_tasks.delivery.resumable.runner import PageContext
from lern_tasks.errors import LockBusy, RefusedByService, SettingsError
from lern_tasks.jobs.users.index.plan import IndexPlan, IndexTally, tally_of
from lern_tasks.jobs.users.index.rows import UserRows
from lern_tasks.jobs.users.resources import JOB, UserResources
from lern_tasks.jobs.users.rules.index import (
    FIELDS,
    ProfileLookups,
    UserRow,
    fields_of,
    wanted_locations,
    wanted_organisations,
)
from lern_tasks.jobs.users.user_cache import Change
from lern_tasks.logs import logger

PAGE: Final = 1000
"""Users read and written at once, at most: a Redis pipeline of a few hundred KB, a page in well under a second."""

_LOCK = "index-users"

_UPSERT_SHARE = 0.9
"""Of a refresh, the part that writes; removing asks for one column of those that are cached."""

_log = logger(__name__)


class IndexPages:
    """Does page after page of one run; `plan` counts for the first, later ones go by the checkpoint that it left.

    `run` is the id under which the run's checkpoint is kept (by default the task's), `lease` the seconds for which a
    run that was killed keeps others out.
    """

    def __init__(self, plan: IndexPlan, *, lease: float, run: str | None = None) -> None:
        self._plan = plan
        self._lease = lease
        self._run = run
        self._rows: UserRows | None = None

    def __call__(self, checkpoint: Checkpoint, page_context: PageContext) -> Checkpoint:
        """The next page. Raises LernError: RefusedByService when another run goes on."""
        ctx = page_context.ctx.view(UserResources)
        self._claim(checkpoint, page_context.task_id, ctx)
        # Not waited for, and not asked for again at the end: each write is judged by its token, so a late one is none.
        locks = ctx.locks.acquire([_LOCK])
        if not locks.tokens:
            raise LockBusy("another process does a page of the user index")
        try:
            found = self._page(checkpoint, ctx, locks.tokens[_LOCK])
        except (RefusedByService, SettingsError):
            # The run ends with this: nobody shall wait for it.
            ctx.index_runs.release(page_context.task_id)
            raise
        finally:
            locks.release()
        if found.ended:
            ctx.index_runs.release(page_context.task_id)
        return found

    def _claim(self, checkpoint: Checkpoint, task_id: str, ctx: UserResources) -> None:
        other = ctx.index_runs.claim(task_id, lease=self._lease)
        if other is not None:
            raise RefusedByService(
                f"another run of the user index goes on ({other.run}); if its process was killed, "
                f"a run may begin in {other.seconds:.0f} s"
            )
        if checkpoint.after is None:
            ctx.index_runs.begun(self._run or task_id)

    def _page(self, checkpoint: Checkpoint, ctx: UserResources, token: int) -> Checkpoint:
        tally = (
            msgspec.convert(checkpoint.result, IndexTally)
            if checkpoint.result
            else tally_of(self._plan, now_ms=ctx.now_ms())
        )
        self._rows = self._rows or ctx.user_rows()
        phases = _Phases(ctx, self._rows, tally, token)
        begin = "anonymous" if tally.anonymous else "users"
        phase, _, cursor = (checkpoint.after or begin).partition(" ")
        after, done = getattr(phases, phase)(cursor or None)
        if after is not None:
            after = f"{phase} {after}"
        elif phase == "users" and tally.refresh and not tally.other_ids:
            after = "stale"
        result = msgspec.to_builtins(tally)
        return Checkpoint(after=after, done=1.0 if after is None else done, ended=after is None, result=result)


class _Phases:
    """The next page of each phase. Its data are read after `token` was given, by which the writes are judged."""

    def __init__(self, ctx: UserResources, rows: UserRows, tally: IndexTally, token: int) -> None:
        self._ctx = ctx
        self._rows = rows
        self._tally = tally
        self._token = token

    def users(self, after: str | None) -> tuple[str | None, float]:
        """Write users from their rows; where the next page begins, and how much is done."""
        page = self._rows.page(after, PAGE, self._tally.since)
        self._tally.users += len(page.users) + page.not_due
        self._tally.not_due += page.not_due
        self._tally.other_ids += page.other_ids
        removable = FIELDS if self._tally.refresh else frozenset()
        changes = []
        for user, fields in self._fields(page.users):
            removed = frozenset(removable - fields.keys())
            changes.append(Change(user_id=user.user_id, token=self._token, fields=fields, removed=removed))
        self._write(changes)
        self._count_unreadable(page.users)
        return page.after, page.done * (_UPSERT_SHARE if self._tally.refresh else 1.0)

    def stale(self, after: str | None) -> tuple[str | None, float]:
        """Remove hashes of registered users that have no row any more."""
        hashes = self._ctx.user_hashes.page(after, PAGE)
        registered = sorted(hashes.found.keys() - hashes.anonymous().keys())
        existing = self._rows.existing(registered)
        gone = [user for user in registered if user not in existing]
        self._tally.removed += self._ctx.user_hashes.remove(gone, self._token)
        self._tally.checked += len(hashes.found)
        share = self._tally.checked / max(1, self._ctx.user_hashes.size())
        return hashes.after, _UPSERT_SHARE + (1 - _UPSERT_SHARE) * min(1.0, share)

    def anonymous(self, after: str | None) -> tuple[str | None, float]:
        """Copy users without account from their own database."""
        settings = self._ctx.settings
        if settings.redis_url("users", JOB) == settings.redis_url("anonymous_users", JOB):
            raise SettingsError(
                "LERN_REDIS__ANONYMOUS_USERS names the user cache itself; name the database to copy from"
            )
        hashes = self._ctx.anonymous_hashes.page(after, PAGE)
        found = {user: fields for user, fields in hashes.anonymous().items() if fields}
        self._tally.users += len(found)
        self._tally.checked += len(hashes.found)
        self._write([Change(user_id=user, token=self._token, fields=fields) for user, fields in found.items()])
        return hashes.after, min(1.0, self._tally.checked / max(1, self._ctx.anonymous_hashes.size()))

    def _fields(self, users: Sequence[UserRow]) -> list[tuple[UserRow, dict[str, str]]]:
        own = self._ctx.settings.user_cache_updater
        memberships = self._rows.memberships([user.user_id for user in users])
        organisations = self._rows.organisations(
            one for user in users for one in wanted_organisations(user, memberships[user.user_id])
        )
        locations = self._rows.locations(one for user in users for one in wanted_locations(user))
        installed: dict[str, Any] = {
            "custodian_id": self._rows.custodian(),
            "self_signed_in": own.user_self_signin_key,
            "validated": own.user_valid_key,
            "legacy": own.framework_fields != "dynamic",
            "dynamic": own.framework_fields != "legacy",
        }
        found = []
        for user in users:
            of = memberships[user.user_id]
            lookups = ProfileLookups(memberships=of, organisations=organisations, locations=locations, **installed)
            found.append((user, fields_of(user, lookups)))
        return found

    def _write(self, changes: Sequence[Change]) -> None:
        for start in range(0, len(changes), PAGE):
            part = changes[start : start + PAGE]
            refused = self._ctx.user_cache.write(part)
            newer = sum(isinstance(error, LockBusy) for error in refused.values())
            self._tally.written += len(part) - len(refused)
            self._tally.newer += newer
            self._tally.misplaced += len(refused) - newer
            for user_id, error in refused.items():
                if not isinstance(error, LockBusy):
                    self._tally.example(user_id, str(error))

    def _count_unreadable(self, users: Sequence[UserRow]) -> None:
        """Count users whose profile could not be read, and name some."""
        found = [user for user in users if user.locations is None or user.user_types is None]
        self._tally.unreadable += len(found)
        for user in found:
            column = "profilelocation" if user.locations is None else "profileusertypes"
            self._tally.example(user.user_id, f"{column} is no JSON list")
        if found:
            _log.warning("profiles_unreadable", users=len(found), first=found[0].user_id)
