"""Which attempts are refused before anything is written. See docs/jobs/assessment_aggregator.md, "Rules"."""

from collections.abc import Sequence
from typing import Final

from lern_tasks.connections.calls import calling_for
from lern_tasks.delivery.batch import BatchRecord
from lern_tasks.errors import LernError, RuleViolation
from lern_tasks.jobs.assessments.events import AssessmentEvent
from lern_tasks.jobs.assessments.resources import AssessmentResources
from lern_tasks.logs import logger
from lern_tasks.metrics import count

JOB: Final = "assessment_aggregator"

_log = logger(__name__)


def refuse(records: Sequence[BatchRecord[AssessmentEvent]], ctx: AssessmentResources) -> None:
    """Fail the records whose content is not their course's, and those with more answers than there are questions.

    Raises DependencyDown when Redis does not answer.
    """
    settings = ctx.settings.assessment_aggregator
    if settings.leaf_check != "off":
        _check_leaf_nodes(records, ctx)
    if settings.assessment_skip_missingrecords:
        _check_questions([record for record in records if record.outcome is None and record.event.submission], ctx)


def _check_leaf_nodes(records: Sequence[BatchRecord[AssessmentEvent]], ctx: AssessmentResources) -> None:
    contents = dict.fromkeys((record.event.key.course_id, record.event.content_id) for record in records)
    found = ctx.course_relations(JOB).are_leaf_nodes(list(contents))
    for record in records:
        course, content = record.event.key.course_id, record.event.content_id
        leaf = found[course, content]
        count("cache-hit-miss-count" if leaf is None else "cache-hit-count", job=JOB)
        if leaf is not False:
            continue
        count("not-a-leaf-node-count", job=JOB)
        _log.warning("not_a_leaf_node", content_id=content, enrolment=record.event.key.text)
        if ctx.settings.assessment_aggregator.leaf_check == "enforce":
            record.fail(
                RuleViolation(
                    f"{content} is no leaf node of {course} in the relation cache; if it belongs to the course, "
                    f"publish the course again and replay this event",
                    code="NOT_A_LEAF_NODE",
                )
            )


def _check_questions(records: Sequence[BatchRecord[AssessmentEvent]], ctx: AssessmentResources) -> None:
    expected: dict[str, float | None | LernError] = {}
    expected |= ctx.assessed_metadata.question_counts(record.event.content_id for record in records)
    for record in records:
        content = record.event.content_id
        count("cache-hit-count" if content in expected else "cache-hit-miss-count", job=JOB)
    for record in records:
        content = record.event.content_id
        if content not in expected:
            with calling_for(record.record.identity):
                expected[content] = _ask(content, ctx)
        _compare(record, expected[content])


def _ask(content_id: str, ctx: AssessmentResources) -> float | None | LernError:
    """The number of questions, or the error of all records of this content: the others need no answer."""
    try:
        number = ctx.question_counts.ask(content_id)
    except LernError as error:
        count("api-hit-failed-count", job=JOB)
        return error
    count("api-hit-success-count", job=JOB)
    return number


def _compare(record: BatchRecord[AssessmentEvent], expected: float | None | LernError) -> None:
    answered = len(record.event.submission.answers) if record.event.submission else 0
    if isinstance(expected, LernError):
        record.fail(expected)
    elif expected is not None and answered > expected:
        record.fail(
            RuleViolation(
                f"answers to {answered} questions, where {record.event.content_id} has {expected:g}; "
                f"if it has more by now, replay this event",
                code="TOO_MANY_QUESTIONS",
                ignored=True,
            )
        )
