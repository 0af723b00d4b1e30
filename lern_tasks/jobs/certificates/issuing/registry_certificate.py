"""A certificate in the registry, created once. See docs/jobs/collection_certificate_generator.md, "Failure"."""

from collections.abc import Mapping
from typing import Any

from lern_tasks.errors import LernError, Requeue, UnknownOutcome
from lern_tasks.jobs.certificates.issuing.events import GenerateRequest
from lern_tasks.jobs.certificates.issuing.issue_intents import Intent
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules.issue import CreatedCertificate
from lern_tasks.jobs.certificates.rules.registry_request import (
    RegistryCertificate,
    bad_texts,
    create_body,
    is_same,
    search_filters,
)
from lern_tasks.logs import logger

_log = logger(__name__)


def create(
    request: GenerateRequest, intent_key: str, known: Intent | None, ctx: CertificateResources
) -> CreatedCertificate:
    """The certificate: the one of an earlier delivery, one found in the registry, or a new one.

    Around the create call stands an intent; `known` is the one of an earlier delivery. When an earlier call may have
    created the certificate, the registry is searched first, but Requeue is raised until its index is sure to show it.
    Raises what the registry raises.
    """
    certificate = _certificate(request, ctx)
    osid, *duplicates = _create_once(certificate, intent_key, known, ctx)
    entity = ctx.settings.collection_certificate_generator.service_rc_entity
    extras = {"templateUrl": certificate.template_url, "type": entity}
    return CreatedCertificate(identifier=osid, extras=extras, duplicates=duplicates)


def _certificate(request: GenerateRequest, ctx: CertificateResources) -> RegistryCertificate:
    storage = ctx.settings.collection_certificate_generator.cloud_storage
    return RegistryCertificate(
        key=request.key,
        name=request.name,
        recipient_name=request.recipient_name,
        course_name=request.course_name,
        template_url=storage.opened(request.svg_template),
        issuer=request.issuer,
        signatories=request.signatories,
        old_id=request.old_id,
    )


def _create_once(
    certificate: RegistryCertificate, intent_key: str, known: Intent | None, ctx: CertificateResources
) -> list[str]:
    """The certificate's osid, and after it those of further ones that are the same."""
    settings = ctx.settings.collection_certificate_generator
    if known is not None and known.osid:
        return [known.osid]
    bad = bad_texts(settings.task_rc_badcharlist, keep_letters=settings.keep_letters)
    body = create_body(certificate, kid=ctx.registry.key_id(), bad_texts=bad)
    if known is not None:
        left = known.since_ms / 1000 + settings.index_lag - ctx.now_ms() / 1000
        if left > 0:
            raise Requeue("the registry's index may not show an earlier create yet", delay=left)
        found = _find(certificate, body, ctx)
        if found:
            _log.warning("certificate_adopted", certificate_id=found[0], enrolment=certificate.key.text)
            ctx.intents.write(intent_key, Intent(since_ms=known.since_ms, osid=found[0]))
            return found
    return [_create(body, intent_key, ctx)]


def _create(body: Mapping[str, Any], intent_key: str, ctx: CertificateResources) -> str:
    since = ctx.now_ms()
    ctx.intents.write(intent_key, Intent(since_ms=since))
    try:
        osid = ctx.registry.create(body)
    except UnknownOutcome:
        # It may be created until now, and the index follows that: the wait begins here, not before the call.
        ctx.intents.write(intent_key, Intent(since_ms=ctx.now_ms()))
        raise
    except LernError:
        # Certainly not created: the next attempt need not wait for the index.
        ctx.intents.forget(intent_key)
        raise
    ctx.intents.write(intent_key, Intent(since_ms=since, osid=osid))
    return osid


def _find(certificate: RegistryCertificate, body: Mapping[str, Any], ctx: CertificateResources) -> list[str]:
    """The certificates in the registry that are the one meant, oldest first; the search itself matches loosely."""
    entities = [entity for entity in ctx.registry.find(search_filters(certificate)) if is_same(entity, body)]
    entities.sort(key=lambda entity: str(entity.get("osCreatedAt", "")))
    return [str(entity["osid"]) for entity in entities]
