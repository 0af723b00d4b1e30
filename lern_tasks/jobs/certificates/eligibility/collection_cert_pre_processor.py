"""`lern.collection_cert_pre_processor`: who has earned which certificate.

See docs/jobs/collection_cert_pre_processor.md.
"""

from collections.abc import Sequence
from typing import Final

from lern_tasks.delivery.batch import Batch, BatchRecord
from lern_tasks.delivery.handoff import Handoff, hand_off, send
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import InvalidEvent, LernError
from lern_tasks.jobs.certificates.eligibility.eligibility_data import EligibilityData
from lern_tasks.jobs.certificates.eligibility.evaluation import evaluate
from lern_tasks.jobs.certificates.eligibility.events import IssueRequest, parse
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules.requests import EligibleCertificate, business_key, generate_event, issue_event
from lern_tasks.metrics import count
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "collection_cert_pre_processor"


@event_job(JOB, parse=parse, resources=CertificateResources)
def collection_cert_pre_processor(batch: Batch[IssueRequest], ctx: CertificateResources) -> None:
    """Test each user against the templates of the batch, and ask for the certificates that are earned."""
    _fan_out([item for item in batch.open if len(item.event.user_ids) > 1], ctx)
    data = EligibilityData(ctx, [_key(item) for item in batch.open])
    for item in batch.open:
        try:
            _process(item, data, ctx)
        except LernError as error:
            item.fail(error)


def _fan_out(items: Sequence[BatchRecord[IssueRequest]], ctx: CertificateResources) -> None:
    """A request for many users becomes one record a user."""
    for item in items:
        request = item.event
        steps = []
        for user_id in request.user_ids:
            key = EnrolmentKey(user_id=user_id, course_id=request.course_id, batch_id=request.batch_id)
            event = issue_event(key, now_ms=request.ets or ctx.now_ms(), reissue=request.reissue)
            steps.append(
                Handoff(
                    job=JOB,
                    event=event,
                    topic=item.record.topic,
                    key=user_id,
                    business_key=key.text,
                    cause=item.record,
                )
            )
        send(ctx, steps)
        item.done()


def _key(item: BatchRecord[IssueRequest]) -> EnrolmentKey:
    request = item.event
    return EnrolmentKey(user_id=request.user_ids[0], course_id=request.course_id, batch_id=request.batch_id)


def _process(item: BatchRecord[IssueRequest], data: EligibilityData, ctx: CertificateResources) -> None:
    """Evaluate every template and ask for what is earned."""
    request = item.event
    found = evaluate(_key(item), data, reissue=request.reissue, asked_ms=request.ets or item.record.timestamp)
    _hand_off(found.earned, item, ctx)
    count("success-events-count", len(found.earned), job=JOB)
    if found.broken:
        errors = list(found.broken.values())
        item.fail(InvalidEvent("; ".join(map(str, errors)), errors[0].field))
    elif found.earned:
        item.done()
    else:
        reasons = [f"{template_id}: {reason}" for template_id, reason in found.ineligible.items()]
        item.skip("; ".join(reasons) or "the batch has no SVG template")


def _hand_off(
    earned: Sequence[EligibleCertificate], item: BatchRecord[IssueRequest], ctx: CertificateResources
) -> None:
    settings = ctx.settings.collection_cert_pre_processor
    storage, cert_base = settings.cloud_storage, settings.cert_base
    topic = ctx.settings.topic(settings.kafka_output_topic)
    hand_off(
        ctx,
        [
            Handoff(
                job="collection_certificate_generator",
                event=generate_event(entry, storage, cert_base=cert_base, now_ms=ctx.now_ms()),
                topic=topic,
                key=f"{entry.key.user_id}_{entry.key.course_id}_{entry.key.batch_id}",
                business_key=business_key(entry),
                cause=item.record,
            )
            for entry in earned
        ],
    )
