"""`lern.certificate_user_feed`: an entry in the feed of the learner, at most once a certificate.

See docs/jobs/collection_certificate_generator.md, "Rules".
"""

from typing import Final

from lern_tasks.delivery.batch import Batch
from lern_tasks.delivery.task import event_job
from lern_tasks.jobs.certificates.follow_up.at_most_once import at_most_once
from lern_tasks.jobs.certificates.follow_up.events import FollowUpEvent, parse
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.metrics import count

JOB: Final = "certificate_user_feed"


@event_job(JOB, parse=parse, resources=CertificateResources)
def certificate_user_feed(batch: Batch[FollowUpEvent], ctx: CertificateResources) -> None:
    """Add an entry to the feed of each learner."""
    for record in batch.open:
        with record.failures():
            if _notify(record.event, ctx):
                record.done()
            else:
                record.skip("told before")


def _notify(event: FollowUpEvent, ctx: CertificateResources) -> bool:
    notified = at_most_once(
        ctx,
        f"feed:{event.certificate_id}",
        lambda: ctx.notifications.feed(event.user_id, course_id=event.course_id, course_name=event.course_name),
    )
    count("user-feed-count", notified, job="collection_certificate_generator")
    return notified
