"""The topics that the jobs read and write. See docs/operations.md, "When something fails"."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from lern_tasks import topics
from lern_tasks.settings import Settings

Role = Literal["input", "handed on", "audit", "failed"]

UNKNOWN_JOB_FAILED = "{env}.lern.tasks.failed"
"""Dead letters of what belongs to no job with a documented failed topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededTopic:
    """A topic by its full name, and what it is used for."""

    name: str
    roles: tuple[Role, ...]

    @property
    def failed(self) -> bool:
        """Whether dead letters go there."""
        return "failed" in self.roles


def needed_topics(settings: Settings) -> list[NeededTopic]:
    """Every topic once, sorted by name."""
    roles: dict[str, set[Role]] = defaultdict(set)
    for job in topics.EVENT_JOBS:
        roles[settings.topic(settings.job(job).kafka_input_topic)].add("input")
    for name in topics.JOBS:
        roles[settings.failed_topic(name)].add("failed")
    roles[settings.topic(UNKNOWN_JOB_FAILED)].add("failed")
    aggregator, reconciliation = settings.activity_aggregate_updater, settings.enrolment_reconciliation
    handed_on = (
        aggregator.kafka_certissue_topic,
        reconciliation.kafka_certissue_topic,
        settings.assessment_aggregator.kafka_certissue_topic,
        settings.merge_user_courses.kafka_output_course_batch_updater_topic,
        settings.collection_cert_pre_processor.kafka_output_topic,
    )
    audits = (
        aggregator.kafka_audit_topic,
        reconciliation.kafka_audit_topic,
        settings.collection_certificate_generator.kafka_audit_topic,
    )
    for template in handed_on:
        roles[settings.topic(template)].add("handed on")
    for template in audits:
        roles[settings.topic(template)].add("audit")
    return [NeededTopic(name=name, roles=tuple(sorted(uses))) for name, uses in sorted(roles.items())]


def failed_topics(settings: Settings) -> list[str]:
    """The topics of dead letters."""
    return [topic.name for topic in needed_topics(settings) if topic.failed]
