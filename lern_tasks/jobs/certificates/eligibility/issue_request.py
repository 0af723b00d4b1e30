"""Asking for the certificates of one enrolment. See docs/jobs/collection_cert_pre_processor.md, "Event"."""

from typing import Final

from lern_tasks.delivery.handoff import Handoff
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.subject import subject_of
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.rules.requests import issue_event
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.envelope import decode, edata, optional_id

JOB: Final = "collection_cert_pre_processor"


def issue_request(
    key: EnrolmentKey,
    cause: Record,
    ctx: Resources,
    *,
    topic: str = "",
    asked_ms: int | None = None,
    reissue: bool = False,
    old_id: str = "",
    attempt_id: str | None = None,
    business_key: str = "",
) -> Handoff:
    """The hand-off to the pre-processor because of the record `cause`.

    `topic` is the full name of the sender's own setting, empty for the pre-processor's. `asked_ms`, epoch ms, is now
    unless given. `old_id`: the one certificate to be issued again. `attempt_id` is what assessments add.
    `business_key`: the enrolment's own text unless given.
    """
    own = ctx.settings.collection_cert_pre_processor
    return Handoff(
        job=JOB,
        event=issue_event(key, now_ms=asked_ms or ctx.now_ms(), reissue=reissue, old_id=old_id, attempt_id=attempt_id),
        topic=topic or ctx.settings.topic(own.kafka_input_topic),
        key=key.user_id,
        business_key=business_key or key.text,
        cause=cause,
    )


def asked_anew(generate: Record, ctx: Resources, *, business_key: str) -> Handoff:
    """The hand-off that computes what the generator was asked for by `generate` again, from rows and profile of now.

    Raises InvalidEvent when the event does not say whose certificate it is.
    """
    data, subject = edata(decode(generate.text)), subject_of(generate.text)
    if len(subject.users) != 1 or not (subject.course and subject.batch):
        raise InvalidEvent("the event does not name one learner, course and batch; send it to the pre-processor anew")
    key = EnrolmentKey(user_id=subject.users[0], course_id=subject.course, batch_id=subject.batch)
    old_id = optional_id(data, "oldId") or ""
    return issue_request(key, generate, ctx, reissue=bool(old_id), old_id=old_id, business_key=business_key)
