"""One run of `lern index-users`, page by page in this process. See docs/jobs/index_users.md, "By hand"."""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

import msgspec

from lern_tasks.delivery.outage import OutageWait
from lern_tasks.delivery.resumable.checkpoints import Checkpoint, RunState
from lern_tasks.delivery.resumable.runner import PageContext
from lern_tasks.errors import DependencyDown, LernError, LockBusy, RefusedByService, TransientError
from lern_tasks.jobs.users.api import IndexPages, IndexPlan, IndexTally, UserResources, tally_of

_LEASE = 60.0
"""Seconds that a killed run keeps the next one out: longer than a page, and nobody minds to wait."""

_PATIENCE = 75.0
"""Seconds: outages of a minute are waited out, and `OutageWait` keeps fifteen for itself; then somebody resumes."""

_PAUSE = 1.0
"""Seconds before a page is tried again: what failed was one statement."""


class IndexRun:
    """A run and its checkpoint, which serves the task of that id too."""

    def __init__(self, ctx: UserResources, run_id: str, run: RunState) -> None:
        self._ctx = ctx
        self._id = run_id
        self._run = run

    @classmethod
    def begin(cls, ctx: UserResources, plan: IndexPlan) -> "IndexRun":
        """A new run. Raises DependencyDown."""
        run_id = f"cli-{uuid4().hex[:8]}"
        result = msgspec.to_builtins(tally_of(plan, now_ms=ctx.now_ms()))
        run = RunState(stand=Checkpoint(result=result), version=1)
        ctx.runs.write(run_id, run)
        return cls(ctx, run_id, run)

    @classmethod
    def last(cls, ctx: UserResources) -> "IndexRun":
        """The run that began last, of the command or of the task.

        Raises RefusedByService when it ended, or is not known.
        """
        run_id = ctx.index_runs.last()
        run = ctx.runs.read(run_id) if run_id else None
        if run_id is None or run is None:
            raise RefusedByService("there is no run to go on with (one is kept for a week); start it without --resume")
        if run.stand.ended:
            raise RefusedByService("the last run has ended; start another without --resume")
        return cls(ctx, run_id, run)

    @property
    def tally(self) -> IndexTally:
        """What the run did so far."""
        return msgspec.convert(self._run.stand.result, IndexTally)

    def work(self, show: Callable[[Checkpoint], None]) -> None:
        """Do what is left, and show the checkpoint after each page. Raises LernError: it can be resumed."""
        # Not the run's id: somebody else who goes on with it must not be taken for this process.
        owner = f"{self._id}/{uuid4().hex[:8]}"
        pages = IndexPages(self.tally.plan, lease=_LEASE, run=self._id)
        page_context = PageContext(self._ctx, owner, math.inf)
        try:
            while not self._run.stand.ended:
                self._advance(lambda: pages(self._run.stand, page_context))
                show(self._run.stand)
        finally:
            with suppress(LernError):
                self._ctx.index_runs.release(owner)

    def _advance(self, page: Callable[[], Checkpoint]) -> None:
        new = replace(self._run, stand=self._through_failures(page), version=self._run.version + 1)
        if not self._ctx.runs.write(self._id, new):
            raise LockBusy("another process goes on with this run")
        self._run = new

    def _through_failures(self, page: Callable[[], Checkpoint]) -> Checkpoint:
        outage_wait = OutageWait(self._ctx, soft_limit=_PATIENCE)
        while True:
            try:
                return outage_wait.call_through_outage(page)
            except (TransientError, LockBusy):
                if outage_wait.left < _PAUSE:
                    raise
                time.sleep(_PAUSE)
            except DependencyDown as error:
                raise DependencyDown(error.name, f"{error}; go on later with `lern index-users --resume`") from error
