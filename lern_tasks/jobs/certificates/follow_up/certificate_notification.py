"""`lern.certificate_notification`: mail and text message about a certificate, each at most once.

See docs/jobs/collection_certificate_generator.md, "Rules".
"""

from collections.abc import Mapping
from typing import Any, Final

from lern_tasks.delivery.batch import Batch, BatchRecord
from lern_tasks.delivery.task import event_job
from lern_tasks.jobs.certificates.follow_up.at_most_once import at_most_once
from lern_tasks.jobs.certificates.follow_up.events import FollowUpEvent, parse
from lern_tasks.jobs.certificates.follow_up.notification_service import CertificateNotification, sms_text
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules.template import notify_template
from lern_tasks.metrics import count
from lern_tasks.storage.gateway import value_of

JOB: Final = "certificate_notification"

_GENERATOR: Final = "collection_certificate_generator"
"""Whose settings name the table of batches, and under which the documented counters stand."""


@event_job(JOB, parse=parse, resources=CertificateResources)
def certificate_notification(batch: Batch[FollowUpEvent], ctx: CertificateResources) -> None:
    """Notify each learner whose template says how."""
    for record in batch.open:
        with record.failures():
            _notify(record, ctx)


def _notify(record: BatchRecord[FollowUpEvent], ctx: CertificateResources) -> None:
    event = record.event
    template = _template(event, ctx)
    if not template:
        _skip(record, "the template has no notifyTemplate")
        return
    user = ctx.recipients.read(event.user_id)
    if user.blocked or not user.fields:
        _skip(record, "the account is blocked")
        return
    first_name = user.fields.get("firstName")
    notification = CertificateNotification(
        user_id=event.user_id,
        first_name=first_name if isinstance(first_name, str) else "",
        training_name=event.course_name,
        held_date=event.completed_on,
        template=template,
    )
    notified = at_most_once(ctx, f"mail:{event.certificate_id}", lambda: ctx.notifications.email(notification))
    if user.fields.get("maskedPhone"):
        text = sms_text(ctx.settings.collection_certificate_generator.sunbird_instance_name)
        notified |= at_most_once(ctx, f"sms:{event.certificate_id}", lambda: ctx.notifications.sms(notification, text))
    count("notified-user-count", notified, job=_GENERATOR)
    record.done()


def _template(event: FollowUpEvent, ctx: CertificateResources) -> Mapping[str, Any]:
    batch = (event.course_id, event.batch_id)
    found = ctx.batch_templates(_GENERATOR).read([batch])
    count("db-course-batch-read-count", job=_GENERATOR)
    return notify_template(event.template_id, value_of(found[batch]).get(event.template_id, {}))


def _skip(record: BatchRecord[FollowUpEvent], reason: str) -> None:
    count("skipped-notify-user-count", job=_GENERATOR)
    record.skip(reason)
