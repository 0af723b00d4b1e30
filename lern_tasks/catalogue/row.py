"""What a row of the table of jobs says. See docs/adding-a-job.md, "The row"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

EventJob = Literal[
    "relation_cache_updater",
    "activity_aggregate_updater",
    "assessment_aggregator",
    "enrolment_reconciliation",
    "merge_user_courses",
    "collection_cert_pre_processor",
    "collection_certificate_generator",
    "user_cache_updater",
]
"""The jobs that take events from a topic, for the type checker; a test compares them with the rows."""

ProgressJob = Literal["activity_aggregate_updater", "enrolment_reconciliation"]
"""The jobs that compute progress."""

FollowUp = Literal["certificate_notification", "certificate_user_feed", "certificate_replacement"]
"""What follows an issued certificate; by Celery only. `certificate_replacement` deletes the certificate replaced."""

JobName = EventJob | FollowUp

RedisRole = Literal[
    "broker",
    "results",
    "state",
    "relation_cache",
    "units",
    "metadata",
    "collection",
    "dedup",
    "users",
    "anonymous_users",
]

Unless = tuple[str, object]
"""A setting and its value with which something is not used. The setting is one of the job's, or `group.name`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUse:
    """A Redis role that a job uses. `of`: the job whose settings place it, None for none; without it the job itself."""

    role: RedisRole
    of: JobName | Literal[""] | None = ""
    unless: Unless | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a job asks over the network, and how `lern doctor` looks at it.

    `client` is a member of the resources in the domain's `api.py`, `variable` what its address is set by, after the
    job's prefix. `why`: what happens without it. `asks`: methods of the client that raise unless all is well.
    `answers` is said when they do not, `remedy` is what else may help than correcting the variable, `misset` what is to
    be done when several variables may be wrong and the error says which.
    """

    name: str
    client: str
    variable: str
    why: str
    unless: Unless | None = None
    asks: tuple[str, ...] = ("ping",)
    answers: str = "answers"
    remedy: str = "start it"
    misset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesBeside:
    """Tables under the job's names that no event needs: without them `lern doctor` warns, as its check `check`."""

    check: str
    tables: tuple[str, ...]
    why: str
    unless: Unless | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What the documents call the records that came (None: not counted), were skipped, and failed for good."""

    total: Literal["total-events-count", "total-audit-events-count"] | None = "total-events-count"
    skipped: Literal["skipped-event-count", "skipped-events-count", "skipped-message-count"] = "skipped-event-count"
    failed: Literal["failed-events-count", "failed-event-count"] = "failed-events-count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A task that takes records.

    `folder` is where its module lies, below `lern_tasks.jobs`. A job that `follows` another comes by Celery only, and
    has that one's settings. `hands_off_to`: the next jobs, each with the setting of this one that names the topic;
    empty where that is the next job's own input. `tables`: members of `JobTables` that its events read or write.
    `waits`: what waits while no worker takes from its queue. For its dead letters: `asks`, where events hold
    nothing that is not stored, makes equal ones one; `anew`, where events are
    computed from rows, is a function of the domain's `api.py` that asks for one to be computed again; `instead` is the
    command that does what an event asked for which cannot be read, with names of fields in braces.
    """

    name: JobName
    folder: str
    follows: EventJob | None = None
    hands_off_to: Mapping[EventJob, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    beside: tuple[TablesBeside, ...] = ()
    redis: tuple[RedisUse, ...] = ()
    services: tuple[Service, ...] = ()
    counters: Counters = field(default_factory=Counters)
    waits: str = "its events wait"
    asks: bool = False
    anew: str = ""
    instead: str = ""

    @property
    def domain(self) -> str:
        """Its room: `lern_tasks/jobs/<domain>/`."""
        return self.folder.partition(".")[0]

    @property
    def module(self) -> str:
        """The module with its task."""
        return f"lern_tasks.jobs.{self.folder}.{self.name}"

    @property
    def scope(self) -> EventJob:
        """The group of its settings."""
        return self.follows or cast("EventJob", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """A module with tasks that take arguments, not records: people, beat or other tasks start them.

    They go to the queue for mass work, those of `maintenance` to that for small periodic tasks.
    """

    module: str
    maintenance: tuple[str, ...] = ()
