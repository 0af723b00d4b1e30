"""`lern.collection_certificate_generator`: the certificate, created once, and in the enrolment row.

See docs/jobs/collection_certificate_generator.md.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from lern_tasks.delivery.batch import Batch, BatchRecord
from lern_tasks.delivery.locked_groups import Group, grouped, locked_groups
from lern_tasks.delivery.task import event_job
from lern_tasks.jobs.certificates.issuing import checks, issue_step
from lern_tasks.jobs.certificates.issuing.events import GenerateRequest, parse
from lern_tasks.jobs.certificates.issuing.follow_ups import IssuedCertificate, hand_off_follow_ups, revoke_duplicate
from lern_tasks.jobs.certificates.issuing.issued_certificates import certificate_lock
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules.issue import IssuedBefore, Stop, decide
from lern_tasks.metrics import count
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "collection_certificate_generator"


@event_job(JOB, parse=parse, resources=CertificateResources)
def collection_certificate_generator(batch: Batch[GenerateRequest], ctx: CertificateResources) -> None:
    """Create each certificate once, write it into the enrolment, then hand off what follows it."""
    checks.check_settings(ctx)
    checks.refuse(batch.open, ctx)
    groups = grouped(batch, by=lambda request: request.key)
    for held in locked_groups(groups.values(), ctx, job=JOB, lock=certificate_lock, about="enrolment's certificates"):
        issued: dict[BatchRecord[GenerateRequest], IssuedCertificate] = {}
        for record, token in _in_turn(held.groups):
            with record.failures():
                certificate = _issue(record, token, ctx)
                if certificate is not None:
                    issued[record] = certificate
        for group in held.release():
            for record in group.open:
                hand_off_follow_ups(record, issued[record], ctx)
                count("success-events-count", job=JOB)
                record.done()


def _in_turn(
    groups: Iterable[Group[EnrolmentKey, GenerateRequest]],
) -> Iterator[tuple[BatchRecord[GenerateRequest], int]]:
    """Each record with its write timestamp: those of one enrolment write one list one after the other."""
    for group in groups:
        for index, record in enumerate(group.records):
            # One more for each: Cassandra keeps both of two lists that are written with the same timestamp.
            yield record, group.token + index


def _issue(record: BatchRecord[GenerateRequest], token: int, ctx: CertificateResources) -> IssuedCertificate | None:
    """Read, decide, create and write under the lock; None when nothing follows."""
    request = record.event
    stored = issue_step.read(request, ctx)
    decision = decide(
        stored.issued,
        name=request.name,
        old_id=request.old_id,
        created_id=stored.created_id,
        delivered_before=record.delivered_before,
    )
    if isinstance(decision, Stop):
        if decision.duplicate:
            revoke_duplicate(record, decision.duplicate, ctx)
        record.skip(decision.reason)
        return None
    if isinstance(decision, IssuedBefore):
        return IssuedCertificate(decision.certificate_id, stored.completed_on)
    created = issue_step.create(record, stored, ctx)
    for duplicate in created.duplicates:
        revoke_duplicate(record, duplicate, ctx)
    issue_step.write(request, stored, created, token, ctx)
    return IssuedCertificate(created.identifier, stored.completed_on)
