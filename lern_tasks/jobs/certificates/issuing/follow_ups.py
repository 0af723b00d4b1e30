"""What follows an issued certificate: audit, notification, feed, and the end of the one it replaces.

See docs/jobs/collection_certificate_generator.md, "Rules".
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from lern_tasks.catalogue import FollowUp as FollowUpJob
from lern_tasks.delivery.batch import BatchRecord
from lern_tasks.delivery.handoff import Handoff, hand_off, publish_events
from lern_tasks.jobs.certificates.follow_up.events import FollowUp
from lern_tasks.jobs.certificates.issuing.events import GenerateRequest
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.logs import logger
from lern_tasks.storage.gateway import Row
from lern_tasks.sunbird.audit_event import certificate_audit

JOB: Final = "collection_certificate_generator"

_log = logger(__name__)


def hand_off_follow_ups(
    item: BatchRecord[GenerateRequest], certificate_id: str, row: Row, ctx: CertificateResources
) -> None:
    """Publish the audit event and hand on the rest. Raises DependencyDown; doing it again does no harm."""
    request = item.event
    audit = certificate_audit(request.key, certificate_id, now_ms=ctx.now_ms())
    publish_events(ctx, ctx.settings.collection_certificate_generator.kafka_audit_topic, [audit])
    completed = row.get("completedon") or request.issued_on or datetime.fromtimestamp(ctx.now_ms() / 1000, tz=UTC)
    told = FollowUp(
        user_id=request.key.user_id,
        course_id=request.key.course_id,
        batch_id=request.key.batch_id,
        certificate_id=certificate_id,
        template_id=request.template_id,
        course_name=request.course_name,
        completed_on=completed.strftime("%Y-%m-%d"),
    )
    steps = [_step("certificate_notification", told, item), _step("certificate_user_feed", told, item)]
    if request.old_id and ctx.settings.collection_certificate_generator.enable_rc_certificate:
        # The old registry deletes by itself what it was told is replaced.
        steps.append(_step("certificate_replacement", replace(told, certificate_id=request.old_id), item))
    hand_off(ctx, steps)


def revoke_duplicate(item: BatchRecord[GenerateRequest], certificate_id: str, ctx: CertificateResources) -> None:
    """Delete a certificate that was created twice: the row names another one. Raises DependencyDown."""
    _log.warning("certificate_surplus", certificate_id=certificate_id)
    key = item.event.key
    duplicates = FollowUp(
        user_id=key.user_id, course_id=key.course_id, batch_id=key.batch_id, certificate_id=certificate_id
    )
    hand_off(ctx, [_step("certificate_replacement", duplicates, item)])


def _step(job: FollowUpJob, event: FollowUp, item: BatchRecord[GenerateRequest]) -> Handoff:
    return Handoff(
        job=job,
        event=event.to_event(),
        topic=item.record.topic,
        key=event.key.user_id,
        business_key=event.certificate_id,
        cause=item.record,
    )
