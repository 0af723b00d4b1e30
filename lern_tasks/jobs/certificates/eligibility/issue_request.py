"""Asking for the certificates of one enrolment. See docs/jobs/collection_cert_pre_processor.md, "Event"."""

from typing import Final

from lern_tasks.delivery.handoff import Handoff
from lern_tasks.delivery.record import Record
from lern_tasks.jobs.certificates.rules.requests import issue_event
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "collection_cert_pre_processor"


def issue_request(
    key: EnrolmentKey,
    cause: Record,
    *,
    topic: str,
    now_ms: int,
    reissue: bool = False,
    attempt_id: str | None = None,
    business_key: str = "",
) -> Handoff:
    """The hand-off to the pre-processor because of the record `cause`. `topic` is the full name; `now_ms` epoch ms.

    `attempt_id` is what assessments add. `business_key` is the enrolment's own text unless another is given.
    """
    return Handoff(
        job=JOB,
        event=issue_event(key, now_ms=now_ms, reissue=reissue, attempt_id=attempt_id),
        topic=topic,
        key=key.user_id,
        business_key=business_key or key.text,
        cause=cause,
    )
