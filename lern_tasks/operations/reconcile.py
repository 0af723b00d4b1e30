"""`lern.reconcile_enrolment` and `lern.reconcile_batch`: progress again from what is stored.

See docs/administration.md, "Reconciling".
"""

from functools import partial
from typing import Any

from lern_tasks.delivery.handoff import hand_off
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.resumable.checkpoints import Checkpoint
from lern_tasks.delivery.resumable.resumable_task import resumable_task
from lern_tasks.delivery.resumable.runner import PageContext, PageFunction
from lern_tasks.errors import InvalidEvent, RefusedByService
from lern_tasks.jobs.certificates.api import CertificateResources, EligibilityData, evaluate
from lern_tasks.jobs.progress.api import ProgressResources, Reconciliation, reconcile, sync_handoff
from lern_tasks.operations import arguments, messages
from lern_tasks.operations.enrolments import COMPLETE, batch_exists, cause, next_chunk, rows
from lern_tasks.operations.issuing import ask, templates_of
from lern_tasks.storage.gateway import Row, value_of
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_CHUNK = 1000
"""Enrolments handed off at once: ten messages of a hundred."""


@resumable_task("lern.reconcile_enrolment", doing="reconciling the enrolment")
def reconcile_enrolment(user_id: object, course_id: object, batch_id: object) -> PageFunction:
    """Compute one enrolment again, and ask for the certificate when it is complete."""
    return partial(_one, arguments.enrolment(user_id, course_id, batch_id))


def _one(key: EnrolmentKey, _checkpoint: Checkpoint, page_context: PageContext) -> Checkpoint:
    ctx = page_context.ctx
    row = rows(ctx, [key])[key]
    result: dict[str, Any] = {"user_id": key.user_id, "course_id": key.course_id, "batch_id": key.batch_id}
    if row is None:
        return _ended({**result, "found": False, "message": messages.no_enrolment(key)})
    run = cause(ctx, page_context.task_id)
    repeated = {key} if page_context.repeated else frozenset()
    progress = ctx.view(ProgressResources)
    answer = value_of(reconcile([key], progress, cause=run, delivered_before=repeated, ask=False)[key])
    figures: dict[str, Any] = _figures(row, answer) | {"certificate_asked": False, "templates": []}
    # Complete once is complete: contents that were added or merged away since do not cost the certificate.
    if answer.status_after == COMPLETE and row["active"] is True:
        figures |= _certificates(key, run, ctx)
    return _ended({**result, **figures, "message": messages.reconciled(figures)})


def _certificates(key: EnrolmentKey, run: Record, ctx: Resources) -> dict[str, Any]:
    """Ask for what is earned and lacking. Here it is seen what is not, and why: nobody is asked in vain."""
    try:
        found = evaluate(key, EligibilityData(ctx.view(CertificateResources), [key]), reissue=False, requested_ms=None)
    except (InvalidEvent, RefusedByService) as error:
        return {"problem": str(error)}
    if found.eligible:
        ask(ctx, [key], run, reissue=False)
    return {"certificate_asked": bool(found.eligible), "templates": templates_of(found)}


def _figures(row: Row, answer: Reconciliation) -> dict[str, Any]:
    return {
        "found": True,
        "active": row["active"] is True,
        "contents": answer.contents,
        "completed": answer.completed,
        "required": answer.required,
        "open": list(answer.open_contents),
        "status_before": answer.status_before,
        "status_after": answer.status_after,
        "retired": answer.retired,
        "certificates": [element.get("name", "") for element in row["issued_certificates"] or ()],
    }


def _ended(result: dict[str, Any]) -> Checkpoint:
    return Checkpoint(done=1.0, ended=True, result=result)


@resumable_task("lern.reconcile_batch", doing="handing enrolments to reconciliation")
def reconcile_batch(course_id: object, batch_id: object) -> PageFunction:
    """Hand every enrolment of a batch to `lern.enrolment_reconciliation`, on the queue for mass work."""
    course = arguments.text_id("course_id", course_id)
    return partial(_batch, course, arguments.text_id("batch_id", batch_id))


def _batch(course_id: str, batch_id: str, checkpoint: Checkpoint, page_context: PageContext) -> Checkpoint:
    ctx = page_context.ctx
    result: dict[str, Any] = {"course_id": course_id, "batch_id": batch_id, "found": True, "enrolments": 0}
    if checkpoint.after is None and not batch_exists(ctx, course_id, batch_id):
        return _ended({**result, "found": False, "message": messages.no_batch(course_id, batch_id)})
    page = next_chunk(ctx, checkpoint.after, size=_CHUNK, course_id=course_id, batch_id=batch_id)
    # A copy by batch may name enrolments that are gone.
    there = [key for key, row in rows(ctx, page.keys).items() if row is not None]
    run = cause(ctx, page_context.task_id)
    hand_off(ctx, [sync_handoff(key, run, ctx) for key in there])
    result["enrolments"] = checkpoint.result.get("enrolments", 0) + len(there)
    if page.after is None:
        return _ended({**result, "message": messages.handed_off(result["enrolments"])})
    return Checkpoint(after=page.after, done=max(checkpoint.done, page.done), result=result)
