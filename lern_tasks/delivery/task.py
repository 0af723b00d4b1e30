"""The one base task: what happens to a message around the few lines that a job is.

See docs/architecture.md, "The way of an event" and "Failure".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from celery import Task, shared_task

from lern_tasks import settings as lern_settings
from lern_tasks.catalogue import JobName, task_name
from lern_tasks.connections.calls import calling_for, watched_by
from lern_tasks.delivery.batch import Batch, BatchRecord, Parse
from lern_tasks.delivery.delivery_counter import PoisonMessage
from lern_tasks.delivery.outage import OutageWait, no_soft_limit
from lern_tasks.delivery.outages.call_watch import CallWatch
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources, process_resources
from lern_tasks.delivery.settlement import Settlement, log_done
from lern_tasks.delivery.subject import log_fields
from lern_tasks.errors import DependencyDown, LernError, Requeue, SettingsError, TransientError
from lern_tasks.logs import logger
from lern_tasks.metrics import count

E = TypeVar("E")
R = TypeVar("R", bound=Resources)

Body = Callable[[Batch[E], Resources], None]
"""The work of a job: gives every open record of the batch an outcome, or raises for all that are left."""

_log = logger(__name__)


class DeadRecords(LernError):
    """Records of this message went to the failed topic: the task ends as FAILURE, so that Flower shows it."""

    code = "DEAD_RECORDS"


def event_job(
    job: JobName, *, parse: Parse[Any], resources: type[R]
) -> Callable[[Callable[[Batch[E], R], None]], Task]:
    """Make the task `lern.<job>` of a body, which works with its domain's `resources`."""

    def decorate(body: Callable[[Batch[E], R], None]) -> Task:
        settings = lern_settings.current()

        def work(batch: Batch[E], ctx: Resources) -> None:
            body(batch, ctx.view(resources))

        def run(self: Task, *args: Any, **kwargs: Any) -> dict[str, int]:
            wire = args[0] if len(args) == 1 and not kwargs and isinstance(args[0], list) else [[args, kwargs]]
            ctx = process_resources(lern_settings.current(), self.app)
            with structlog.contextvars.bound_contextvars(job=job, task_id=self.request.id):
                message = ReceivedMessage(task_id=self.request.id, delivery_id=_delivery_id(self.request), wire=wire)
                counts = run_message(job, parse, work, ctx=ctx, message=message)
            if counts.get("dead"):
                raise DeadRecords(f"{counts['dead']} of {len(wire)} records are dead letters: {counts}")
            return counts

        run.__doc__ = body.__doc__
        run.__module__ = body.__module__
        options = {
            "name": task_name(job),
            "bind": True,
            "soft_time_limit": settings.job(job).soft_time_limit,
            "time_limit": settings.hard_time_limit(job),
            "throws": (DeadRecords,),
        }
        made: Task = shared_task(**options)(run)
        return made

    return decorate


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage:
    """A task message: its id, what stays the same when the broker delivers it again, and its records as they came."""

    task_id: str
    delivery_id: str
    wire: Sequence[Any]


def run_message(
    job: JobName, parse: Parse[E], body: Body[E], *, ctx: Resources, message: ReceivedMessage
) -> dict[str, int]:
    """Run one message of `job`; the number of records by outcome.

    Returns only when dead letters and records sent again are confirmed.
    """
    outage_wait = OutageWait(ctx, soft_limit=ctx.settings.job(job).soft_time_limit)
    settlement = Settlement(ctx, outage_wait, job=job, task_id=message.task_id)
    records = [_record(entry) for entry in message.wire]

    def reset_counter() -> None:
        ctx.delivery_counter.reset(message.delivery_id)

    try:
        delivery = outage_wait.call_through_outage(lambda: ctx.delivery_counter.increment(message.delivery_id))
    except DependencyDown as error:
        settlement.send_again(records, 0)
        counts = {"again": len(records)}
        log_done(counts, [(record, error) for record in records])
        return counts
    if delivery > 1 and len(records) > 1:
        counts = _split(job, settlement, records)
    else:
        batch: Batch[E] = Batch([BatchRecord(record, delivery > 1 or record.delivered_before) for record in records])
        if delivery > ctx.settings.tasks.max_deliveries:
            batch.fail_open(PoisonMessage(f"delivered {delivery} times without an end; not run again"))
        else:
            watch = CallWatch(ctx.breakers, job)
            _postpone(batch, watch, ctx.now_ms())
            with watched_by(watch), calling_for(records[0].identity if records else ""):
                _parse(batch, parse)
                _work(batch, partial(body, batch, ctx), watch, outage_wait, reset_counter)
        with no_soft_limit():
            counts = settlement.settle(batch)
    reset_counter()
    return counts


def _record(wire: object) -> Record:
    """The record, or for what is none a record that holds it whole and is invalid."""
    try:
        return Record.from_wire(wire)  # type: ignore[arg-type]
    except (TypeError, ValueError, AttributeError):
        return Record(value="not a record: " + repr(wire), topic="")


def _split(job: JobName, settlement: Settlement, records: Sequence[Record]) -> dict[str, int]:
    """A message that did not end is sent again as singles, so that one record cannot take others with it."""
    _log.warning("message_split", records=len(records), **log_fields(records[0]))
    count("records-split", len(records), job=job)
    with no_soft_limit():
        settlement.send_again([record.next(delivered_before=True) for record in records], 0, singly=True)
    return {"split": len(records)}


def _parse(batch: Batch[E], parse: Parse[E]) -> None:
    for record in batch.open:
        record.parse(parse)


def _work(
    batch: Batch[E],
    body: Callable[[], None],
    watch: CallWatch,
    outage_wait: OutageWait,
    reset_counter: Callable[[], None],
) -> None:
    """Run the body until every record has an outcome, or an outage outlasts the time there is to wait."""
    while batch.open:
        _run_body(batch, body)
        for record in batch:
            watch.judge(record)
        down = batch.blocked()
        if down is None:
            return
        # Whatever the record does, it did not end its process: while it waits, deaths are not its fault.
        reset_counter()
        if not _wait(outage_wait, down):
            return
        batch.reopen_blocked()


def _wait(outage_wait: OutageWait, down: DependencyDown) -> bool:
    try:
        return outage_wait.wait_until_up(down.name)
    except SoftTimeLimitExceeded:
        return False


def _postpone(batch: Batch[E], watch: CallWatch, now_ms: int) -> None:
    """Send again the records whose wait is longer than one countdown, and those whose outage goes on."""
    for record in batch.open:
        watch.hold_back(record)
    for record in batch.open:
        left = (record.record.not_before_ms or 0) - now_ms
        if left > 0:
            record.fail(Requeue("its waiting time is not over", delay=left / 1000))


def _run_body(batch: Batch[E], body: Callable[[], None]) -> None:
    try:
        body()
    except SoftTimeLimitExceeded:
        _out_of_time(batch)
    except SettingsError as error:
        # As an outage: the records wait until the worker is started with a setting that works.
        batch.fail_open(DependencyDown("settings", str(error)))
    except LernError as error:
        batch.fail_open(error)
    except Exception as bug:
        _log.exception("task_bug")
        batch.fail_open(bug)
    else:
        batch.fail_open(RuntimeError("the task gave this record no outcome"))


def _out_of_time(batch: Batch[E]) -> None:
    """What the soft limit cut off is sent again; a record that fills the time alone spends an attempt."""
    alone = len(batch.records) == 1
    message = "the soft time limit passed"
    batch.fail_open(TransientError(message) if alone else Requeue(message, singly=True))


def _delivery_id(request: Any) -> str:
    """The broker's delivery tag: kept when a message is delivered again, and never shared by two messages."""
    return str((request.properties or {}).get("delivery_tag") or request.id)
