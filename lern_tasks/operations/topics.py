"""The topics that the jobs read and write. See docs/operations.md, "When something fails"."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lern_tasks import catalogue
from lern_tasks.catalogue import UNKNOWN_JOB_FAILED, EventJob
from lern_tasks.settings import Settings

Role = Literal["input", "handed on", "audit", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededTopic:
    """A topic by its full name, and what it is used for."""

    name: str
    roles: tuple[Role, ...]

    @property
    def failed(self) -> bool:
        """Whether dead letters go there."""
        return "failed" in self.roles


def needed_topics(settings: Settings, jobs: Iterable[EventJob] = catalogue.EVENT_JOBS) -> list[NeededTopic]:
    """Every topic that `jobs` read or write, once, sorted by name."""
    roles: dict[str, set[Role]] = defaultdict(set)
    for job in jobs:
        roles[settings.topic(settings.job(job).kafka_input_topic)].add("input")
        roles[settings.failed_topic(job)].add("failed")
        for setting in filter(None, catalogue.ROWS[job].hands_off_to.values()):
            roles[settings.topic(getattr(settings.job(job), setting))].add("handed on")
        audit = getattr(settings.job(job), "kafka_audit_topic", "")
        if audit:
            roles[settings.topic(audit)].add("audit")
    roles[settings.topic(UNKNOWN_JOB_FAILED)].add("failed")
    return [NeededTopic(name=name, roles=tuple(sorted(uses))) for name, uses in sorted(roles.items())]


def failed_topics(settings: Settings) -> list[str]:
    """The topics of dead letters."""
    return [topic.name for topic in needed_topics(settings) if topic.failed]
