"""`lern.collection_cert_pre_processor`: who has earned which certificate.

See docs/jobs/collection_cert_pre_processor.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lern_tasks.base import task
from lern_tasks.batch import Batch, Item
from lern_tasks.counters import count
from lern_tasks.errors import InvalidEvent, LernError
from lern_tasks.events.collection_cert_pre_processor import IssueRequest, parse
from lern_tasks.next_step import Step, hand_on, send
from lern_tasks.rules import certificate_criteria as criteria
from lern_tasks.rules.certificate_criteria import EnrolmentMatch, NoMatch
from lern_tasks.rules.certificate_request import Earned, Storage, business_key, generate_event, issue_event
from lern_tasks.rules.certificate_template import Template, is_svg, parse_template
from lern_tasks.rules.enrolment import EnrolmentKey
from lern_tasks.tasks.certificate_facts import Facts
from lern_tasks.wiring import World

JOB: Final = "collection_cert_pre_processor"


@task(job=JOB, parse=parse)
def collection_cert_pre_processor(batch: Batch[IssueRequest], world: World) -> None:
    """Test each user against the templates of the batch, and ask for the certificates that are earned."""
    _fan_out([item for item in batch.open if len(item.event.user_ids) > 1], world)
    facts = Facts(world, {_key(item): item.event for item in batch.open})
    for item in batch.open:
        try:
            _process(item, facts, world)
        except LernError as error:
            item.fail(error)


def _fan_out(items: Sequence[Item[IssueRequest]], world: World) -> None:
    """A request for many users becomes one record a user."""
    for item in items:
        request = item.event
        steps = []
        for user_id in request.user_ids:
            key = EnrolmentKey(user_id=user_id, course_id=request.course_id, batch_id=request.batch_id)
            event = issue_event(key, now_ms=request.ets or world.now_ms(), reissue=request.reissue)
            steps.append(
                Step(
                    job=JOB,
                    event=event,
                    topic=item.record.topic,
                    key=user_id,
                    business_key=key.text,
                    cause=item.record,
                )
            )
        send(world, steps)
        item.done()


def _key(item: Item[IssueRequest]) -> EnrolmentKey:
    request = item.event
    return EnrolmentKey(user_id=request.user_ids[0], course_id=request.course_id, batch_id=request.batch_id)


def _process(item: Item[IssueRequest], facts: Facts, world: World) -> None:
    """Evaluate every template; one that is wrong does not keep the others from being issued."""
    key = _key(item)
    stored = {name: texts for name, texts in facts.templates(key).items() if is_svg(texts)}
    earned: list[Earned] = []
    reasons: list[str] = []
    broken: list[InvalidEvent] = []
    for template_id, texts in stored.items():
        try:
            found = _evaluate(parse_template(template_id, texts), key, item, facts)
        except InvalidEvent as error:
            broken.append(error)
            continue
        if isinstance(found, NoMatch):
            reasons.append(f"{template_id}: {found.reason}")
        else:
            earned.append(found)
    _hand_on(earned, item, world)
    count("success-events-count", len(earned), job=JOB)
    if broken:
        item.fail(InvalidEvent("; ".join(map(str, broken)), broken[0].field))
    elif earned:
        item.done()
    else:
        item.skip("; ".join(reasons) or "the batch has no SVG template")


def _evaluate(template: Template, key: EnrolmentKey, item: Item[IssueRequest], facts: Facts) -> Earned | NoMatch:
    """Enrolment, then scores, then the user: what does not match ends it, and nothing more is read."""
    row = facts.enrolment(key)
    enrolment = criteria.match_enrolment(template, row, reissue=item.event.reissue)
    if isinstance(enrolment, NoMatch):
        return enrolment
    percent = None if template.criteria.score is None else facts.percentages(key)
    no_score = criteria.match_score(template, percent or {})
    if no_score is not None:
        return no_score
    user = facts.user(key.user_id)
    no_user = criteria.match_user(template, user)
    if no_user is not None:
        return no_user
    return _earned(template, enrolment, key, item, facts, user=user, percent=percent)


def _earned(
    template: Template,
    enrolment: EnrolmentMatch,
    key: EnrolmentKey,
    item: Item[IssueRequest],
    facts: Facts,
    *,
    user: Mapping[str, Any],
    percent: Mapping[str, float] | None,
) -> Earned:
    return Earned(
        key=key,
        template=template,
        old_id=enrolment.old_id,
        completed_ms=facts.completed_ms(key, item.event.ets or item.record.timestamp),
        user=user,
        course_name=facts.course_name(key.course_id),
        percent=percent,
        enrolment=facts.columns(key, template),
    )


def _hand_on(earned: Sequence[Earned], item: Item[IssueRequest], world: World) -> None:
    settings = world.settings.collection_cert_pre_processor
    storage = Storage(
        placeholder=settings.cloud_store_base_path_placeholder,
        cloud_base=settings.cloud_base,
        cert_base=f"{settings.cert_domain_url.rstrip('/')}/certs",
    )
    topic = world.settings.topic(settings.kafka_output_topic)
    hand_on(
        world,
        [
            Step(
                job="collection_certificate_generator",
                event=generate_event(entry, storage, now_ms=world.now_ms()),
                topic=topic,
                key=f"{entry.key.user_id}_{entry.key.course_id}_{entry.key.batch_id}",
                business_key=business_key(entry),
                cause=item.record,
            )
            for entry in earned
        ],
    )
