"""Which certificates an enrolment has earned, and why not. See docs/jobs/collection_cert_pre_processor.md, "Rules"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.eligibility.eligibility_data import EligibilityData
from lern_tasks.jobs.certificates.rules import criteria
from lern_tasks.jobs.certificates.rules.criteria import EnrolmentMatch, NoMatch
from lern_tasks.jobs.certificates.rules.requests import EligibleCertificate
from lern_tasks.jobs.certificates.rules.template import Template, is_svg, parse_template
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """An enrolment tested against each template of its batch: eligible, not for a reason, or the template is wrong.

    `ineligible` and `invalid_templates` are by template id; without any template all three are empty.
    """

    eligible: Sequence[EligibleCertificate]
    ineligible: Mapping[str, str]
    invalid_templates: Mapping[str, InvalidEvent]


def evaluate(
    key: EnrolmentKey, data: EligibilityData, *, reissue: bool, old_id: str = "", requested_ms: int | None
) -> Evaluation:
    """Test an enrolment against every template; one that is wrong keeps none of the others from being earned.

    `old_id`: of a re-issue, the one certificate that is meant; empty for all.
    `requested_ms`, epoch ms, is the day of issue of an enrolment without a date of completion. Raises LernError when
    what is needed cannot be read.
    """
    eligible: list[EligibleCertificate] = []
    ineligible: dict[str, str] = {}
    invalid_templates: dict[str, InvalidEvent] = {}
    for template_id, texts in data.templates(key).items():
        if not is_svg(texts):
            continue
        try:
            template = parse_template(template_id, texts)
            enrolment = criteria.match_enrolment(template, data.enrolment(key), reissue=reissue, only=old_id)
            found = _test(template, enrolment, key, data, requested_ms=requested_ms)
        except InvalidEvent as error:
            invalid_templates[template_id] = error
            continue
        if isinstance(found, NoMatch):
            ineligible[template_id] = found.reason
        else:
            eligible.append(found)
    return Evaluation(eligible=eligible, ineligible=ineligible, invalid_templates=invalid_templates)


def _test(
    template: Template,
    enrolment: EnrolmentMatch | NoMatch,
    key: EnrolmentKey,
    data: EligibilityData,
    *,
    requested_ms: int | None,
) -> EligibleCertificate | NoMatch:
    """Enrolment, then scores, then the user: what does not match ends it, and nothing more is read."""
    if isinstance(enrolment, NoMatch):
        return enrolment
    percent = None if template.criteria.score is None else data.percentages(key)
    no_score = criteria.match_score(template, percent or {})
    if no_score is not None:
        return no_score
    user = data.user(key.user_id)
    no_user = criteria.match_user(template, user)
    if no_user is not None:
        return no_user
    return _eligible(template, enrolment, key, data, requested_ms=requested_ms, user=user, percent=percent)


def _eligible(
    template: Template,
    enrolment: EnrolmentMatch,
    key: EnrolmentKey,
    data: EligibilityData,
    *,
    requested_ms: int | None,
    user: Mapping[str, Any],
    percent: Mapping[str, float] | None,
) -> EligibleCertificate:
    return EligibleCertificate(
        key=key,
        template=template,
        old_id=enrolment.old_id,
        completed_ms=data.completed_ms(key, requested_ms),
        user=user,
        course_name=data.course_name(key.course_id),
        percent=percent,
        enrolment=data.columns(key, template),
    )
