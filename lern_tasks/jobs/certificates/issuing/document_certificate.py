"""A certificate without the registry: its document, its picture, its file, and its entry in the old registry.

See docs/jobs/collection_certificate_generator.md, "Document".
"""

from datetime import UTC, datetime

import msgspec

from lern_tasks.delivery.record import Coordinates
from lern_tasks.jobs.certificates.issuing.events import GenerateRequest
from lern_tasks.jobs.certificates.issuing.issue_intents import Intent
from lern_tasks.jobs.certificates.issuing.qr_code import qr_code
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules import document as documents
from lern_tasks.jobs.certificates.rules.access_code import access_code
from lern_tasks.jobs.certificates.rules.issue import CreatedCertificate
from lern_tasks.jobs.certificates.rules.svg_template import svg_address, template_values
from lern_tasks.logs import logger

_log = logger(__name__)


def check_settings(ctx: CertificateResources) -> None:
    """Raise SettingsError, naming the variables, unless certificates can be issued without the registry."""
    # Each is opened at its first use, and refuses an address that is none.
    _ = (ctx.certificate_files, ctx.old_registry, ctx.signing)


def create(
    request: GenerateRequest, intent_key: str, known: Intent | None, origin: Coordinates, ctx: CertificateResources
) -> CreatedCertificate:
    """The certificate, written and registered; doing it again, whole or in part, gives the same one.

    Its id is in an intent before anything is written: whatever event asks for the same certificate within the next days
    goes on with it; `known` is the intent of an earlier delivery. The file comes before the registration, which names
    it. Raises what the services raise.
    """
    intent = known if known is not None and known.osid else _new_intent(request, intent_key, origin, ctx)
    document = _document(request, intent, ctx)
    code = access_code(request.key, request.name, request.old_id, document.certificate_id)
    certificate = documents.certificate_object(document)
    if request.details.signing_key:
        value = ctx.signing.sign(request.details.signing_key, certificate)
        certificate["signature"] = documents.signature(document, value, created_ms=intent.since_ms)
    storage = ctx.settings.collection_certificate_generator.cloud_storage
    template = ctx.templates.read(storage.opened(request.svg_template))
    picture = qr_code(document.address, code)
    certificate["printUri"] = svg_address(template, template_values(certificate), picture)
    ctx.certificate_files.put(document.file_name, msgspec.json.encode(certificate))
    if not ctx.old_registry.add(documents.register_request(document, certificate, code)):
        _log.warning("certificate_adopted", certificate_id=document.certificate_id, enrolment=request.key.text)
    return CreatedCertificate(identifier=document.certificate_id, token=code)


def _new_intent(request: GenerateRequest, intent_key: str, origin: Coordinates, ctx: CertificateResources) -> Intent:
    where = (origin.topic, origin.partition, origin.offset)
    certificate_id = documents.certificate_id(request.key, request.name, request.old_id, where)
    intent = Intent(since_ms=ctx.now_ms(), osid=certificate_id)
    ctx.intents.write(intent_key, intent)
    return intent


def _document(request: GenerateRequest, intent: Intent, ctx: CertificateResources) -> documents.Document:
    return documents.Document(
        certificate_id=intent.osid or "",
        base=ctx.settings.collection_certificate_generator.cert_base,
        key=request.key,
        name=request.name,
        recipient_name=request.recipient_name,
        course_name=request.course_name,
        issuer=request.issuer,
        signatories=request.signatories,
        old_id=request.old_id,
        # The time of the first delivery, so that a later one writes the same.
        issued_on=request.issued_on or datetime.fromtimestamp(intent.since_ms // 1000, tz=UTC),
        details=request.details,
    )
