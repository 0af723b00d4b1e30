"""`lern.sweep_missing_certificates`: who is complete and lacks a certificate, whatever it was lost by.

See docs/administration.md, "Missing certificates".
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from celery import Task, shared_task

from lern_tasks import catalogue
from lern_tasks import settings as lern_settings
from lern_tasks.delivery.resources import Resources, process_resources
from lern_tasks.delivery.resumable.checkpoints import Checkpoint
from lern_tasks.delivery.resumable.resumable_task import resumable_task
from lern_tasks.delivery.resumable.runner import PageContext, PageFunction
from lern_tasks.delivery.task_sender import derived_id
from lern_tasks.errors import InvalidArgument
from lern_tasks.jobs.certificates.api import EligibleCertificate
from lern_tasks.logs import logger
from lern_tasks.operations import arguments, messages
from lern_tasks.operations.enrolments import COMPLETE, next_chunk, overdue_of
from lern_tasks.operations.issuing import CHUNK, evaluate_chunk, with_result
from lern_tasks.storage.gateway import Row
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

NAME: Final = "lern.sweep_missing_certificates"

_COLUMNS = ("active", "status", "completedon", "contentstatus")

_NIGHT = 3600
"""Seconds: two beats a few minutes apart start one sweep of the night, the next night's is another."""

_log = logger(__name__)


@resumable_task(NAME, doing="looking for missing certificates")
def sweep_missing_certificates(since: object, fix: object = False) -> PageFunction:
    """Find enrolments completed since a date that earn a certificate which they lack, and with `fix` ask for it.

    Also those, of whatever date, that are complete by the present contents of their course and not by their status.
    """
    begin, really = arguments.moment("since", since), arguments.flag("fix", fix)
    if begin > datetime.now(UTC):
        raise InvalidArgument("argument.since lies in the future; send a date such as 2026-01-31")
    return partial(_sweep, begin, really)


def _sweep(since: datetime, fix: bool, checkpoint: Checkpoint, page_context: PageContext) -> Checkpoint:
    late: set[EnrolmentKey] = set()

    def chosen(found: Mapping[EnrolmentKey, Row]) -> set[EnrolmentKey]:
        late.update(overdue_of(page_context.ctx, found))
        return late | {key for key, row in found.items() if _wanted(since, row)}

    page = next_chunk(page_context.ctx, checkpoint.after, size=CHUNK, columns=_COLUMNS, chosen=chosen)
    new = evaluate_chunk(page, checkpoint, page_context, group=_by_batch, really=fix, overdue=late)
    new = with_result(new, since=since.isoformat(), fix=fix, message=messages.issued(new.result, really=fix))
    if new.ended and (new.result["learners"] or new.result["overdue"]):
        # The nightly one is read by nobody: the log is where its findings are seen.
        figures = {name: new.result[name] for name in ("learners", "asked", "overdue", "reconciled")}
        _log.warning("certificates_missing", **figures)
    return new


def _wanted(since: datetime, row: Row) -> bool:
    """Complete, active, and not known to be completed earlier."""
    completed = row["completedon"]
    return row["active"] is True and row["status"] == COMPLETE and (completed is None or completed >= since)


def _by_batch(certificate: EligibleCertificate) -> str:
    return f"{certificate.key.course_id} {certificate.key.batch_id}"


@shared_task(name="lern.nightly_missing_certificates", bind=True)
def nightly_missing_certificates(self: Task) -> str | None:
    """Start the sweep of the night; its task id, by which it can be watched. None when it is switched off."""
    return start_nightly(process_resources(lern_settings.current(), self.app))


def start_nightly(ctx: Resources) -> str | None:
    """Send the sweep of this night, unless another beat has. Raises DependencyDown."""
    tasks = ctx.settings.tasks
    if not tasks.sweep_days:
        return None
    today = ctx.now().date()
    task_id = derived_id("missing_certificates", today)
    name = f"beat:missing-certificates:{today}"
    if ctx.idempotency_keys.claim(name, expiry=_NIGHT):
        kwargs = {"since": str(today - timedelta(days=tasks.sweep_days)), "fix": tasks.sweep_fix}
        ctx.sender.send_named(NAME, kwargs, task_id=task_id, queue=catalogue.BULK_QUEUE)
    return task_id
