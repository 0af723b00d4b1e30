"""`lern.certificate_replacement`: deletes the certificate that another one replaces.

See docs/jobs/collection_certificate_generator.md, "Rules".
"""

from typing import Final

from lern_tasks.delivery.batch import Batch
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError
from lern_tasks.jobs.certificates.follow_up.events import FollowUpEvent, parse
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.logs import logger
from lern_tasks.storage.gateway import raise_first

JOB: Final = "certificate_replacement"

_log = logger(__name__)


@event_job(JOB, parse=parse, resources=CertificateResources)
def certificate_replacement(batch: Batch[FollowUpEvent], ctx: CertificateResources) -> None:
    """Delete each certificate from the registry; one that is not there is looked for in the old registry.

    Without the registry only the old one is cleaned.
    """
    for record in batch.open:
        with record.failures():
            _delete(record.event, ctx)
            record.done()


def _delete(event: FollowUpEvent, ctx: CertificateResources) -> None:
    certificate_id = event.certificate_id
    if ctx.settings.collection_certificate_generator.enable_rc_certificate:
        outcome = ctx.registry.delete(certificate_id)
        _log.info("certificate_deleted", certificate_id=certificate_id, outcome=outcome, enrolment=event.key.text)
        if outcome == "deleted":
            return
    # Each by itself: a table that does not answer must not keep the index from being cleaned, nor the other way round.
    errors: list[LernError] = []
    for clean_up in (_delete_row, _delete_document):
        try:
            clean_up(certificate_id, ctx)
        except LernError as error:
            errors.append(error)
    raise_first(errors)


def _delete_row(certificate_id: str, ctx: CertificateResources) -> None:
    ctx.old_registry_rows.delete(certificate_id)


def _delete_document(certificate_id: str, ctx: CertificateResources) -> None:
    if ctx.settings.collection_certificate_generator.es_basepath:
        ctx.search_index.delete(certificate_id)
