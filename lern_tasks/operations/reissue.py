"""`lern.reissue_certificate` and `lern.issue_batch`. See docs/administration.md, "Issuing"."""

from functools import partial

from lern_tasks.delivery.resumable.checkpoints import Checkpoint
from lern_tasks.delivery.resumable.resumable_task import resumable_task
from lern_tasks.delivery.resumable.runner import PageContext, PageFunction
from lern_tasks.jobs.certificates.api import (
    CertificateResources,
    EligibilityData,
    EligibleCertificate,
    evaluate,
)
from lern_tasks.operations import arguments, messages
from lern_tasks.operations.enrolments import batch_exists, cause, next_chunk, overdue_of, rows
from lern_tasks.operations.issuing import CHUNK, ask, evaluate_chunk, named, templates_of, with_result
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


@resumable_task("lern.reissue_certificate", doing="issuing the certificate again")
def reissue_certificate(user_id: object, course_id: object, batch_id: object) -> PageFunction:
    """Issue the certificates of one enrolment again, each in the place of the one that there is."""
    return partial(_reissue, arguments.enrolment(user_id, course_id, batch_id))


def _reissue(key: EnrolmentKey, _checkpoint: Checkpoint, page_context: PageContext) -> Checkpoint:
    ctx = page_context.ctx
    if rows(ctx, [key])[key] is None:
        result = {**named(key), "found": False, "templates": [], "message": messages.no_enrolment(key)}
        return Checkpoint(done=1.0, ended=True, result=result)
    found = evaluate(key, EligibilityData(ctx.view(CertificateResources), [key]), reissue=True, requested_ms=None)
    if found.eligible:
        ask(ctx, [key], cause(ctx, page_context.task_id), reissue=True)
    templates = templates_of(found)
    result = {**named(key), "found": True, "templates": templates, "message": messages.reissued(templates)}
    return Checkpoint(done=1.0, ended=True, result=result)


@resumable_task("lern.issue_batch", doing="evaluating the batch")
def issue_batch(course_id: object, batch_id: object, dry_run: object = True) -> PageFunction:
    """Evaluate every complete, active enrolment of a batch, and ask for what is missing unless `dry_run`."""
    course, batch = arguments.text_id("course_id", course_id), arguments.text_id("batch_id", batch_id)
    return partial(_batch, course, batch, arguments.flag("dry_run", dry_run))


def _batch(
    course_id: str, batch_id: str, dry_run: bool, checkpoint: Checkpoint, page_context: PageContext
) -> Checkpoint:
    about = {"course_id": course_id, "batch_id": batch_id, "dry_run": dry_run}
    if checkpoint.after is None and not batch_exists(page_context.ctx, course_id, batch_id):
        message = messages.no_batch(course_id, batch_id)
        return Checkpoint(done=1.0, ended=True, result={**about, "found": False, "message": message})
    page = next_chunk(page_context.ctx, checkpoint.after, size=CHUNK, course_id=course_id, batch_id=batch_id)
    late = overdue_of(page_context.ctx, rows(page_context.ctx, page.keys))
    new = evaluate_chunk(
        page, checkpoint, page_context, group=_by_template, really=not dry_run, overdue=late, reasons=True
    )
    return with_result(new, **about, found=True, message=messages.issued(new.result, really=not dry_run))


def _by_template(certificate: EligibleCertificate) -> str:
    return f"{certificate.template.template_id} {certificate.template.name}"
