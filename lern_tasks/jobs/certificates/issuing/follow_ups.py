"""What follows an issued certificate: audit, notification, feed, and the end of the one it replaces.

See docs/jobs/collection_certificate_generator.md, "Rules".
"""

from dataclasses import dataclass, replace
from datetime import datetime

from lern_tasks.catalogue import FollowUp
from lern_tasks.delivery.batch import BatchRecord
from lern_tasks.delivery.handoff import Handoff, hand_off, publish_events
from lern_tasks.delivery.subject import log_fields
from lern_tasks.jobs.certificates.follow_up.events import FollowUpEvent
from lern_tasks.jobs.certificates.issuing.events import GenerateRequest
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.logs import logger
from lern_tasks.sunbird.audit_event import certificate_audit

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate that exists and is in the row. `completed_on`: when the course was completed, if the row has it."""

    certificate_id: str
    completed_on: datetime | None


def hand_off_follow_ups(
    record: BatchRecord[GenerateRequest], issued: IssuedCertificate, ctx: CertificateResources
) -> None:
    """Publish the audit event and hand off the rest. Raises DependencyDown; doing it again does no harm."""
    request = record.event
    audit = certificate_audit(request.key, issued.certificate_id, now_ms=ctx.now_ms())
    publish_events(ctx, ctx.settings.collection_certificate_generator.kafka_audit_topic, [audit])
    completed_on = issued.completed_on or request.issued_on or ctx.now()
    event = FollowUpEvent(
        user_id=request.key.user_id,
        course_id=request.key.course_id,
        batch_id=request.key.batch_id,
        certificate_id=issued.certificate_id,
        template_id=request.template_id,
        course_name=request.course_name,
        completed_on=completed_on.strftime("%Y-%m-%d"),
    )
    handoffs = [_handoff(job, event, record) for job in ("certificate_notification", "certificate_user_feed")]
    if request.old_id and ctx.settings.collection_certificate_generator.enable_rc_certificate:
        # The old registry deletes by itself the certificate that is named to it as replaced.
        handoffs.append(_handoff("certificate_replacement", replace(event, certificate_id=request.old_id), record))
    hand_off(ctx, handoffs)


def revoke_duplicate(record: BatchRecord[GenerateRequest], certificate_id: str, ctx: CertificateResources) -> None:
    """Let a certificate be deleted that was created twice: the row names another one. Raises DependencyDown."""
    _log.warning("certificate_duplicate", certificate_id=certificate_id, **log_fields(record.record))
    key = record.event.key
    event = FollowUpEvent(
        user_id=key.user_id, course_id=key.course_id, batch_id=key.batch_id, certificate_id=certificate_id
    )
    hand_off(ctx, [_handoff("certificate_replacement", event, record)])


def _handoff(job: FollowUp, event: FollowUpEvent, record: BatchRecord[GenerateRequest]) -> Handoff:
    return Handoff(
        job=job,
        event=event.to_event(),
        topic=record.record.topic,
        key=event.key.user_id,
        business_key=event.certificate_id,
        cause=record.record,
    )
