"""`lern.collection_certificate_generator`: the certificate, made once, and in the enrolment row.

See docs/jobs/collection_certificate_generator.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from lern_tasks.delivery.batch import Batch, BatchRecord, fail_each
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import InvalidEvent, LernError, LockBusy
from lern_tasks.jobs.certificates.issuing import document_certificate, registry_certificate
from lern_tasks.jobs.certificates.issuing.events import GenerateRequest, parse
from lern_tasks.jobs.certificates.issuing.follow_ups import hand_off_follow_ups, revoke_duplicate
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules.issue import (
    Allowed,
    CreatedCertificate,
    IssuedEntry,
    element,
    intent_key,
    may_issue,
    with_element,
)
from lern_tasks.logs import logger
from lern_tasks.metrics import count
from lern_tasks.storage.gateway import Row
from lern_tasks.sunbird.enrolments import Enrolments
from lern_tasks.sunbird.table_names import for_job

JOB: Final = "collection_certificate_generator"

_COLUMNS = ("issued_certificates", "completedon")

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that exists and is in the row."""

    certificate_id: str
    row: Row


@event_job(JOB, parse=parse, resources=CertificateResources)
def collection_certificate_generator(batch: Batch[GenerateRequest], ctx: CertificateResources) -> None:
    """Create each certificate once, write it into the enrolment, then tell those who want to know."""
    if not _by_registry(ctx):
        document_certificate.check_settings(ctx)
    for item in batch.open:
        _check(item, ctx)
    names: dict[str, list[BatchRecord[GenerateRequest]]] = {}
    for item in batch.open:
        names.setdefault(f"certificate:{item.event.key.text}", []).append(item)
    for holding in ctx.locks.acquire_in_batches(names, wait=ctx.settings.tasks.lock_wait):
        # One more for each: Cassandra keeps both of two lists that are written with the same timestamp.
        issued = {
            name: [_issue_or_fail(item, token + index, ctx) for index, item in enumerate(names[name])]
            for name, token in holding.tokens.items()
        }
        lost = holding.release()
        for name, results in issued.items():
            if name in lost:
                count("lock-lost", job=JOB)
                for item in names[name]:
                    item.fail(LockBusy("the lock was lost before the certificate was written"))
            else:
                _finish(names[name], results, ctx)
    for items in names.values():
        fail_each(items, LockBusy("another worker is busy with this enrolment's certificates"))


def _check(item: BatchRecord[GenerateRequest], ctx: CertificateResources) -> None:
    """Refuse, or pass with a warning, what the event lacks; and templates of hosts that are not ours."""
    request, settings = item.event, ctx.settings
    if request.incomplete:
        if not settings.collection_certificate_generator.enable_suppress_exception:
            fields = ", ".join(request.incomplete)
            of = f" (template {request.template_id})" if request.template_id else ""
            item.fail(
                InvalidEvent(
                    f"{fields} missing{of}; the template needs a signatory with name, id, designation and image",
                    request.incomplete[0],
                )
            )
            return
        count("suppressed-failures", job=JOB)
        _log.warning("signatory_incomplete", fields=list(request.incomplete), template_id=request.template_id)
    hosts = settings.http.allowed_hosts
    template_url = settings.collection_certificate_generator.cloud_storage.opened(request.svg_template)
    if hosts and _host(template_url) not in hosts:
        item.fail(
            InvalidEvent(
                "edata.svgTemplate points to a host that is not in LERN_HTTP__ALLOWED_HOSTS; add it there, "
                "or mend the template",
                "edata.svgTemplate",
            )
        )


def _issue_or_fail(item: BatchRecord[GenerateRequest], token: int, ctx: CertificateResources) -> Issued | None:
    if item.outcome is not None:
        return None
    try:
        return _issue(item, token, ctx)
    except LernError as error:
        item.fail(error)
        return None


def _issue(item: BatchRecord[GenerateRequest], token: int, ctx: CertificateResources) -> Issued | None:
    """Under the lock: gate, certificate, row. None when there is nothing to tell about."""
    request = item.event
    row = _read(request, ctx)
    issued: Sequence[IssuedEntry] | None = None if row is None else row["issued_certificates"] or ()
    intent = _intent(request, ctx)
    verdict = may_issue(issued, request.name, request.old_id)
    if not isinstance(verdict, Allowed):
        known = _known_id(intent, ctx)
        mine = known is not None and any(entry.get("identifier") == known for entry in issued or ())
        if mine and item.delivered_before and row is not None:
            # An earlier delivery wrote the row and may have died before telling about it.
            return Issued(known or "", row)
        if known is not None and issued and not mine:
            revoke_duplicate(item, known, ctx)
        item.skip(verdict.reason)
        return None
    made = _make(item, intent, ctx)
    for other in made.duplicates:
        revoke_duplicate(item, other, ctx)
    new = element(request.name, made, now=datetime.fromtimestamp(ctx.now_ms() / 1000, tz=UTC))
    _write(request, with_element(issued or (), new), token, ctx)
    return Issued(made.identifier, row or {})


def _by_registry(ctx: CertificateResources) -> bool:
    return ctx.settings.collection_certificate_generator.enable_rc_certificate


def _intent(request: GenerateRequest, ctx: CertificateResources) -> str:
    """Each way has notes of its own: an id of the one is none of the other, when the setting is changed."""
    key = intent_key(request.key, request.name, request.old_id)
    return key if _by_registry(ctx) else f"{key}:document"


def _make(item: BatchRecord[GenerateRequest], intent: str, ctx: CertificateResources) -> CreatedCertificate:
    if _by_registry(ctx):
        return registry_certificate.create(item.event, intent, ctx)
    return document_certificate.create(item.event, intent, item.record.first_origin, ctx)


def _enrolments(ctx: CertificateResources) -> Enrolments:
    return Enrolments(ctx.gateway, for_job(ctx.settings, JOB).enrolments)


def _read(request: GenerateRequest, ctx: CertificateResources) -> Row | None:
    count("enrollment-db-read-count", job=JOB)
    found = _enrolments(ctx).read_rows([request.key], _COLUMNS)[request.key]
    if isinstance(found, LernError):
        raise found
    return found


def _write(
    request: GenerateRequest, certificates: Sequence[IssuedEntry], token: int, ctx: CertificateResources
) -> None:
    mutation = _enrolments(ctx).replace_certificates(request.key, certificates, timestamp=token)
    for error in ctx.gateway.apply([mutation]):
        if error is not None:
            raise error
    count("db-update-user-enrollment-count", job=JOB)


def _known_id(intent: str, ctx: CertificateResources) -> str | None:
    known = ctx.intents.read(intent)
    return known.osid if known else None


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _finish(
    items: Sequence[BatchRecord[GenerateRequest]], results: Sequence[Issued | None], ctx: CertificateResources
) -> None:
    for item, issued in zip(items, results, strict=True):
        if issued is not None and item.outcome is None:
            hand_off_follow_ups(item, issued.certificate_id, issued.row, ctx)
            count("success-events-count", job=JOB)
            item.done()
