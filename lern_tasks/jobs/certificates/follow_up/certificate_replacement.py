"""`lern.certificate_replacement`: deletes the certificate that another one replaces.

See docs/jobs/collection_certificate_generator.md, "Rules".
"""

from typing import Final

from lern_tasks.delivery.batch import Batch
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError
from lern_tasks.jobs.certificates.follow_up.events import FollowUp, parse
from lern_tasks.jobs.certificates.issuing import old_registry_rows
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.logs import logger
from lern_tasks.sunbird.table_names import for_job

JOB: Final = "certificate_replacement"

_log = logger(__name__)


@event_job(JOB, parse=parse, resources=CertificateResources)
def certificate_replacement(batch: Batch[FollowUp], ctx: CertificateResources) -> None:
    """Delete each certificate from the registry; one that is not there is looked for in the old registry.

    Without the registry only the old one is cleaned.
    """
    for item in batch.open:
        try:
            _delete(item.event.certificate_id, ctx)
        except LernError as error:
            item.fail(error)
        else:
            item.done()


def _delete(certificate_id: str, ctx: CertificateResources) -> None:
    if ctx.settings.collection_certificate_generator.enable_rc_certificate:
        outcome = ctx.registry.delete(certificate_id)
        _log.info("certificate_deleted", certificate_id=certificate_id, outcome=outcome)
        if outcome == "deleted":
            return
    # Each by itself: a table that does not answer must not keep the index from being cleaned, nor the other way round.
    errors = []
    for clean_up in (_delete_row, _delete_document):
        try:
            clean_up(certificate_id, ctx)
        except LernError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _delete_row(certificate_id: str, ctx: CertificateResources) -> None:
    table = for_job(ctx.settings, "collection_certificate_generator").cert_registry
    old_registry_rows.delete(ctx.gateway, table, certificate_id)


def _delete_document(certificate_id: str, ctx: CertificateResources) -> None:
    if ctx.settings.collection_certificate_generator.es_basepath:
        ctx.search_index.delete(certificate_id)
