"""`lern.collection_cert_pre_processor`: who is eligible for which certificate.

See docs/jobs/collection_cert_pre_processor.md.
"""

from collections.abc import Sequence
from typing import Final

from lern_tasks.delivery.batch import Batch, BatchRecord
from lern_tasks.delivery.handoff import Handoff, hand_off, send
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.eligibility.eligibility_data import EligibilityData
from lern_tasks.jobs.certificates.eligibility.evaluation import Evaluation, evaluate
from lern_tasks.jobs.certificates.eligibility.events import IssueRequest, parse
from lern_tasks.jobs.certificates.eligibility.issue_request import issue_request
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules.requests import EligibleCertificate, business_key, generate_event
from lern_tasks.metrics import count
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "collection_cert_pre_processor"


@event_job(JOB, parse=parse, resources=CertificateResources)
def collection_cert_pre_processor(batch: Batch[IssueRequest], ctx: CertificateResources) -> None:
    """Test each user against the templates of the batch, and ask for the certificates that are earned."""
    _fan_out([record for record in batch.open if len(record.event.user_ids) > 1], ctx)
    # Read at first use, what can be for all records together: see the class.
    data = EligibilityData(ctx, [_keys(record.event)[0] for record in batch.open])
    for record in batch.open:
        with record.failures():
            request = record.event
            (key,) = _keys(request)
            found = evaluate(
                key,
                data,
                reissue=request.reissue,
                old_id=request.old_id,
                requested_ms=request.ets or record.record.timestamp,
            )
            hand_off(ctx, [_handoff(certificate, record, ctx) for certificate in found.eligible])
            count("success-events-count", len(found.eligible), job=JOB)
            _finish(record, found)


def _fan_out(records: Sequence[BatchRecord[IssueRequest]], ctx: CertificateResources) -> None:
    """A request for many users becomes one record a user."""
    for record in records:
        request, topic = record.event, record.record.topic
        handoffs = [
            issue_request(
                key,
                record.record,
                ctx,
                topic=topic,
                asked_ms=request.ets,
                reissue=request.reissue,
                old_id=request.old_id,
            )
            for key in _keys(request)
        ]
        # Past `hand_off`: the parts of what this job was given stay with it. Its setting HAND_OFF tells other jobs
        # where to find the pre-processor; by the topic the parts would come back here, or be done by Flink's as well.
        send(ctx, handoffs)
        record.done()


def _keys(request: IssueRequest) -> list[EnrolmentKey]:
    return [
        EnrolmentKey(user_id=user_id, course_id=request.course_id, batch_id=request.batch_id)
        for user_id in request.user_ids
    ]


def _handoff(certificate: EligibleCertificate, record: BatchRecord[IssueRequest], ctx: CertificateResources) -> Handoff:
    settings, key = ctx.settings.collection_cert_pre_processor, certificate.key
    return Handoff(
        job="collection_certificate_generator",
        event=generate_event(certificate, settings.cloud_storage, cert_base=settings.cert_base, now_ms=ctx.now_ms()),
        topic=ctx.settings.topic(settings.kafka_output_topic),
        key=f"{key.user_id}_{key.course_id}_{key.batch_id}",
        business_key=business_key(certificate),
        cause=record.record,
    )


def _finish(record: BatchRecord[IssueRequest], found: Evaluation) -> None:
    """What is earned is handed off by now, also beside a template that is wrong."""
    if found.invalid_templates:
        errors = list(found.invalid_templates.values())
        record.fail(InvalidEvent("; ".join(map(str, errors)), errors[0].field))
    elif found.eligible:
        record.done()
    else:
        reasons = [f"{template_id}: {reason}" for template_id, reason in found.ineligible.items()]
        record.skip("; ".join(reasons) or "the batch has no SVG template")
