"""What is refused before anything is read. See docs/jobs/collection_certificate_generator.md, "Rules"."""

from collections.abc import Iterable
from typing import Final

from lern_tasks.delivery.batch import BatchRecord
from lern_tasks.delivery.subject import log_fields
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.issuing import document_certificate
from lern_tasks.jobs.certificates.issuing.events import GenerateRequest
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.logs import logger
from lern_tasks.metrics import count

JOB: Final = "collection_certificate_generator"

_log = logger(__name__)


def check_settings(ctx: CertificateResources) -> None:
    """Raise SettingsError, naming the variables, unless certificates can be issued as the settings are."""
    if not ctx.settings.collection_certificate_generator.enable_rc_certificate:
        document_certificate.check_settings(ctx)


def refuse(records: Iterable[BatchRecord[GenerateRequest]], ctx: CertificateResources) -> None:
    """Fail the records whose signatories are incomplete, or whose template lies on a host that is refused."""
    for record in records:
        with record.failures():
            _check_signatories(record, ctx)
            storage = ctx.settings.collection_certificate_generator.cloud_storage
            ctx.template_hosts.check(storage.opened(record.event.svg_template))


def _check_signatories(record: BatchRecord[GenerateRequest], ctx: CertificateResources) -> None:
    """Raise InvalidEvent, or pass with a warning, by setting."""
    request = record.event
    if not request.incomplete:
        return
    if not ctx.settings.collection_certificate_generator.enable_suppress_exception:
        fields = ", ".join(request.incomplete)
        of = f" (template {request.template_id})" if request.template_id else ""
        raise InvalidEvent(
            f"{fields} missing{of}; the template needs a signatory with name, id, designation and image",
            request.incomplete[0],
        )
    count("suppressed-failures", job=JOB)
    _log.warning(
        "signatory_incomplete",
        fields=list(request.incomplete),
        template_id=request.template_id,
        **log_fields(record.record),
    )
