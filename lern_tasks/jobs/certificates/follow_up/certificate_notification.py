"""`lern.certificate_notification`: mail and text message about a certificate, each at most once.

See docs/jobs/collection_certificate_generator.md, "Rules".
"""

from collections.abc import Mapping
from typing import Any, Final

from lern_tasks.delivery.batch import Batch, BatchRecord
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError
from lern_tasks.jobs.certificates.eligibility import batch_templates
from lern_tasks.jobs.certificates.follow_up.at_most_once import at_most_once
from lern_tasks.jobs.certificates.follow_up.events import FollowUp, parse
from lern_tasks.jobs.certificates.follow_up.notification_service import CertificateNotification, sms_text
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules.template import notify_template
from lern_tasks.metrics import count
from lern_tasks.sunbird.table_names import for_job

JOB: Final = "certificate_notification"

_COUNTED = "collection_certificate_generator"


@event_job(JOB, parse=parse, resources=CertificateResources)
def certificate_notification(batch: Batch[FollowUp], ctx: CertificateResources) -> None:
    """Notify each learner whose template says how."""
    for item in batch.open:
        try:
            _notify(item, ctx)
        except LernError as error:
            item.fail(error)


def _notify(item: BatchRecord[FollowUp], ctx: CertificateResources) -> None:
    event = item.event
    template = _template(event, ctx)
    if not template:
        _skip(item, "the template has no notifyTemplate")
        return
    user = ctx.recipients.read(event.user_id)
    if user.blocked or not user.fields:
        _skip(item, "the account is blocked")
        return
    first_name = user.fields.get("firstName")
    notice = CertificateNotification(
        user_id=event.user_id,
        first_name=first_name if isinstance(first_name, str) else "",
        training_name=event.course_name,
        held_date=event.completed_on,
        template=template,
    )
    told = at_most_once(ctx, f"mail:{event.certificate_id}", lambda: ctx.notifications.email(notice))
    if user.fields.get("maskedPhone"):
        text = sms_text(ctx.settings.collection_certificate_generator.sunbird_instance_name)
        told |= at_most_once(ctx, f"sms:{event.certificate_id}", lambda: ctx.notifications.sms(notice, text))
    count("notified-user-count", told, job=_COUNTED)
    item.done()


def _template(event: FollowUp, ctx: CertificateResources) -> Mapping[str, Any]:
    table = for_job(ctx.settings, "collection_certificate_generator").course_batch
    batch = (event.course_id, event.batch_id)
    stored = batch_templates.read_templates(ctx.gateway, table, [batch])[batch]
    count("db-course-batch-read-count", job=_COUNTED)
    if isinstance(stored, LernError):
        raise stored
    return notify_template(event.template_id, stored.get(event.template_id, {}))


def _skip(item: BatchRecord[FollowUp], reason: str) -> None:
    count("skipped-notify-user-count", job=_COUNTED)
    item.skip(reason)
