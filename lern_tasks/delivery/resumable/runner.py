"""One message of a resumable task: page by page, until the end or until its time is over.

See docs/administration.md, "How a long task goes on".
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, NoReturn

from billiard.exceptions import SoftTimeLimitExceeded
from celery.exceptions import BackendError, Ignore
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from lern_tasks.catalogue import BULK_QUEUE
from lern_tasks.delivery.delivery_counter import PoisonMessage
from lern_tasks.delivery.outage import OutageWait, no_soft_limit
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.resumable.checkpoints import Checkpoint, RunState
from lern_tasks.delivery.retry_policy import GiveUp, RetryPolicy
from lern_tasks.errors import DependencyDown, LernError, NotReady, PartlyDown, TransientError
from lern_tasks.logs import logger

PROGRESS = "PROGRESS"
"""The state of a resumable task that goes on; its meta is {doing, done (0 to 1), note, result (so far)}."""

_SHOWN_EVERY = 1.0
"""Seconds between two looks that a person takes."""

_log = logger(__name__)


class PageContext:
    """What a page may know of the message that runs it."""

    def __init__(self, ctx: Resources, task_id: str, seconds: float) -> None:
        self.ctx = ctx
        self.task_id = task_id
        self.repeated = False
        """An earlier delivery or try of this page may have had a part of its effects."""
        self._deadline = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        """The message's time is over: a page that can end early does, the others come after it."""
        return time.monotonic() >= self._deadline


PageFunction = Callable[[Checkpoint, PageContext], Checkpoint]
"""Does the next page of the work, and says how far it is then. Its effects may happen twice.

Raises LernError: an outage is waited out, what is transient is tried again, everything else ends the task as FAILURE.
"""


class LostRun(LernError):
    """The checkpoint of the task is not known any more."""

    code = "LOST_RUN"


class _Overtaken(Exception):
    """Another delivery of this message has gone on meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMessage:
    """One message of a run: the task's name, id and arguments, the message's number, and what people see it `doing`."""

    name: str
    task_id: str
    arguments: Mapping[str, Any]
    number: int
    doing: str


class Runner:
    """Runs one message."""

    def __init__(self, message: RunMessage, page: PageFunction, ctx: Resources, *, soft_limit: float) -> None:
        self._message = message
        self._page = page
        self._ctx = ctx
        self._id = message.task_id
        self._cap = float(ctx.settings.tasks.countdown_cap)
        self._delivery_id = f"{message.task_id}:{message.number}"
        self._outage_wait = OutageWait(ctx, soft_limit=soft_limit)
        # Half of the limit: the last page may take as long again.
        self._page_context = PageContext(ctx, self._id, soft_limit / 2)
        self._shown = 0.0

    def run(self) -> dict[str, Any]:
        """Work until the end, or until the time of the message is over; the result. Raises Ignore when it goes on."""
        run = RunState(slice=self._message.number)
        try:
            run = self._read()
            self._show(run)
            while not run.stand.ended:
                run = self._advance(run)
                if self._page_context.over and not run.stand.ended:
                    self._send_next(run)
        except _Overtaken:
            # Both deliveries have one tag: when this one is acknowledged and the other dies, nothing would come again.
            self._send(self._message.number, delay=self._cap)
            raise Ignore from None
        except SoftTimeLimitExceeded:
            self._send_again(run, TransientError("one page took longer than the soft time limit"))
        except LernError as error:
            self._send_again(run, error)
        _log.info("long_task_done", **_numbers(run.stand.result))
        return dict(run.stand.result)

    def _read(self) -> RunState:
        """How far the task is. Raises Ignore for a message that is older than what was done."""
        counter, number = self._ctx.delivery_counter, self._message.number
        deliveries = self._outage_wait.call_through_outage(lambda: counter.increment(self._delivery_id))
        run = self._outage_wait.call_through_outage(lambda: self._ctx.runs.read(self._id))
        if run is None and number:
            raise LostRun("where this task stood is not known any more; start it again")
        if run is None or run.slice < number:
            run = replace(run or RunState(), slice=number)
        if run.slice > number and not run.stand.ended:
            raise Ignore
        if deliveries > self._ctx.settings.tasks.max_deliveries and not run.stand.ended:
            raise PoisonMessage(f"the page after {run.stand.after!r} ended its process {deliveries - 1} times")
        self._page_context.repeated = deliveries > 1 or run.first_failed_ms is not None
        return run

    def _advance(self, run: RunState) -> RunState:
        """Do a page and note down what it did."""
        checkpoint = self._through_outages(run)
        run = self._write(RunState(stand=checkpoint, slice=run.slice, version=run.version))
        self._page_context.repeated = False
        self._ctx.delivery_counter.reset(self._delivery_id)
        self._show(run)
        return run

    def _through_outages(self, run: RunState) -> Checkpoint:
        while True:
            try:
                return self._page(run.stand, self._page_context)
            except (DependencyDown, TransientError) as error:
                down = RetryPolicy(self._ctx).outage_behind(error)
                if down is None or isinstance(down, PartlyDown):
                    raise
                self._show(run, f"waiting for {down.name}")
                # Whatever the page does, it did not end its process.
                self._ctx.delivery_counter.reset(self._delivery_id)
                self._page_context.repeated = True
                if not self._outage_wait.wait_until_up(down.name):
                    raise down from error

    def _write(self, run: RunState) -> RunState:
        new = replace(run, version=run.version + 1)
        if not self._outage_wait.call_through_outage(lambda: self._ctx.runs.write(self._id, new)):
            raise _Overtaken
        return new

    def _send_next(self, run: RunState) -> NoReturn:
        """Let the next message go on. Sent first: what dies in between is delivered again, and sends it twice."""
        self._send(run.slice + 1)
        with suppress(_Overtaken):
            self._write(replace(run, slice=run.slice + 1))
        raise Ignore

    def _send_again(self, run: RunState, error: LernError) -> NoReturn:
        """Send this message again after a wait. Raises Ignore; or `error`, which is then what the task ends with."""
        with no_soft_limit():
            policy = RetryPolicy(self._ctx)
            decision = policy.next(run.attempts, error)
            if isinstance(decision, GiveUp):
                raise error
            attempts = run.attempts.after(decision.consumes, now_ms=policy.now_ms)
            if isinstance(error, NotReady) and error.remedy:
                error.remedy.ask(self._ctx, Record(value=None, topic=f"run:{self._id}"))
            _log.warning("page_again", code=error.code, error=str(error), seconds=round(decision.delay_seconds, 1))
            self._show(run, f"again in {decision.delay_seconds:.0f} s: {error}")
            with suppress(_Overtaken, DependencyDown):
                self._write(replace(run, **asdict(attempts)))
                self._ctx.delivery_counter.reset(self._delivery_id)
            self._send(self._message.number, delay=decision.delay_seconds)
        raise Ignore

    def _send(self, number: int, *, delay: float = 0.0) -> None:
        self._outage_wait.call_until_done(
            lambda: self._ctx.sender.send_named(
                self._message.name,
                # The argument's name is that of messages in flight: the number of this one.
                {**self._message.arguments, "slice": number},
                task_id=self._id,
                queue=BULK_QUEUE,
                countdown=min(delay, self._cap) or None,
            )
        )

    def _show(self, run: RunState, note: str = "") -> None:
        """Say in the task's state how far it is. What keeps that from being stored keeps no work from being done."""
        if run.stand.ended or (not note and time.monotonic() < self._shown):
            return
        self._shown = time.monotonic() + _SHOWN_EVERY
        meta = {
            "doing": self._message.doing,
            "done": round(run.stand.done, 4),
            "note": note,
            "result": run.stand.result,
        }
        with suppress(RedisError, OperationalError, OSError, BackendError):
            self._ctx.app.backend.store_result(self._id, meta, PROGRESS)


def _numbers(result: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if isinstance(value, int | float)}
