"""One certificate, step by step: what is known of it, its creation, and its entry in the enrolment.

See docs/jobs/collection_certificate_generator.md, "Failure".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lern_tasks.delivery.batch import BatchRecord
from lern_tasks.jobs.certificates.issuing import document_certificate, registry_certificate
from lern_tasks.jobs.certificates.issuing.events import GenerateRequest
from lern_tasks.jobs.certificates.issuing.issue_intents import Intent
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules.issue import (
    CreatedCertificate,
    IssuedEntry,
    intent_key,
    issued_entry,
    with_entry,
)
from lern_tasks.metrics import count
from lern_tasks.storage.gateway import Row

JOB: Final = "collection_certificate_generator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is known before a certificate is issued: the enrolment's row, and the intent of an earlier delivery."""

    row: Row | None
    intent: Intent | None

    @property
    def issued(self) -> Sequence[IssuedEntry] | None:
        """The certificates of the enrolment; None when there is no such row."""
        return None if self.row is None else self.row["issued_certificates"] or ()

    @property
    def created_id(self) -> str | None:
        """The certificate that an earlier delivery created, if it is known."""
        return self.intent.osid if self.intent else None

    @property
    def completed_on(self) -> datetime | None:
        """When the course was completed, if the row has it."""
        return None if self.row is None else self.row["completedon"]


def read(request: GenerateRequest, ctx: CertificateResources) -> Stored:
    """The enrolment's row and the intent. Raises what the stores answer."""
    count("enrollment-db-read-count", job=JOB)
    row = ctx.issued_certificates.read(request.key)
    return Stored(row=row, intent=ctx.intents.read(_intent_key(request, ctx)))


def create(record: BatchRecord[GenerateRequest], stored: Stored, ctx: CertificateResources) -> CreatedCertificate:
    """The certificate, in the registry or as a document, whichever the settings name. Raises what these raise."""
    request, key = record.event, _intent_key(record.event, ctx)
    if _by_registry(ctx):
        return registry_certificate.create(request, key, stored.intent, ctx)
    return document_certificate.create(request, key, stored.intent, record.record.first_origin, ctx)


def write(
    request: GenerateRequest, stored: Stored, created: CreatedCertificate, token: int, ctx: CertificateResources
) -> None:
    """Put the certificate into the enrolment, with `token` as write timestamp. Raises what the store answers."""
    entry = issued_entry(request.name, created, now=ctx.now())
    ctx.issued_certificates.write(request.key, with_entry(stored.issued or (), entry), timestamp=token)
    count("db-update-user-enrollment-count", job=JOB)


def _by_registry(ctx: CertificateResources) -> bool:
    return ctx.settings.collection_certificate_generator.enable_rc_certificate


def _intent_key(request: GenerateRequest, ctx: CertificateResources) -> str:
    """Each way has intents of its own: an id of the one is none of the other, when the setting is changed."""
    key = intent_key(request.key, request.name, request.old_id)
    return key if _by_registry(ctx) else f"{key}:document"
