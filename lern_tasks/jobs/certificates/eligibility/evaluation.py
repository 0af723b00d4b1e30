"""Which certificates an enrolment has earned, and why not. See docs/jobs/collection_cert_pre_processor.md, "Rules"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.eligibility.eligibility_data import Facts
from lern_tasks.jobs.certificates.rules import criteria
from lern_tasks.jobs.certificates.rules.criteria import EnrolmentMatch, NoMatch
from lern_tasks.jobs.certificates.rules.requests import Earned
from lern_tasks.jobs.certificates.rules.template import Template, is_svg, parse_template
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What the templates of its batch say of an enrolment: each is earned, not earned for a reason, or wrong itself.

    `not_earned` and `broken` are by template id; without any template all three are empty.
    """

    earned: Sequence[Earned]
    not_earned: Mapping[str, str]
    broken: Mapping[str, InvalidEvent]


def evaluate(key: EnrolmentKey, facts: Facts, *, reissue: bool, asked_ms: int | None) -> Evaluation:
    """Test an enrolment against every template; one that is wrong keeps none of the others from being earned.

    `asked_ms`, epoch ms, is the day of issue of an enrolment without a date of completion. Raises LernError when what
    is needed cannot be read.
    """
    earned: list[Earned] = []
    not_earned: dict[str, str] = {}
    broken: dict[str, InvalidEvent] = {}
    for template_id, texts in facts.templates(key).items():
        if not is_svg(texts):
            continue
        try:
            found = _test(parse_template(template_id, texts), key, facts, reissue=reissue, asked_ms=asked_ms)
        except InvalidEvent as error:
            broken[template_id] = error
            continue
        if isinstance(found, NoMatch):
            not_earned[template_id] = found.reason
        else:
            earned.append(found)
    return Evaluation(earned=earned, not_earned=not_earned, broken=broken)


def _test(
    template: Template, key: EnrolmentKey, facts: Facts, *, reissue: bool, asked_ms: int | None
) -> Earned | NoMatch:
    """Enrolment, then scores, then the user: what does not match ends it, and nothing more is read."""
    row = facts.enrolment(key)
    enrolment = criteria.match_enrolment(template, row, reissue=reissue)
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
    return _earned(template, enrolment, key, facts, asked_ms=asked_ms, user=user, percent=percent)


def _earned(
    template: Template,
    enrolment: EnrolmentMatch,
    key: EnrolmentKey,
    facts: Facts,
    *,
    asked_ms: int | None,
    user: Mapping[str, Any],
    percent: Mapping[str, float] | None,
) -> Earned:
    return Earned(
        key=key,
        template=template,
        old_id=enrolment.old_id,
        completed_ms=facts.completed_ms(key, asked_ms),
        user=user,
        course_name=facts.course_name(key.course_id),
        percent=percent,
        enrolment=facts.columns(key, template),
    )
