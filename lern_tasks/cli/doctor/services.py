"""The HTTP services, and the files of dead letters."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from lern_tasks.catalogue import EventJob
from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, ok, problem
from lern_tasks.cli.effective import masked
from lern_tasks.connections.files import Files
from lern_tasks.errors import LernError
from lern_tasks.jobs.assessments.api import QuestionCountClient
from lern_tasks.jobs.certificates.api import ContentClient, UserClient
from lern_tasks.jobs.progress.api import SearchClient
from lern_tasks.jobs.users.framework_service import FrameworkClient
from lern_tasks.jobs.users.profile_service import UserProfileClient
from lern_tasks.settings import Settings

_PATIENCE = 5.0
"""Seconds to wait for an answer, at most: it is asked for a sign of life, not for work."""

_PROBE = "doctor"
"""Name of the file that is written and read: always the same, so that it stays one."""


class Pings(Protocol):
    """A client of a service."""

    def ping(self) -> None:
        """Raises DependencyDown."""

    def close(self) -> None:
        """Close connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that one job asks. `variable`: what its address is set by, after the job's prefix."""

    name: str
    job: EventJob
    make: Callable[[Settings], Pings]
    variable: str
    why: str
    needed: Callable[[Settings], bool] = lambda _: True

    def check(self) -> Check:
        """Whether it answers."""
        return Check(name=self.name, look=partial(_ping, self), why=self.why, jobs=(self.job,))


_SERVICES = (
    Service(
        name="search",
        job="activity_aggregate_updater",
        make=SearchClient.from_settings,
        variable="SERVICE_SEARCH_BASEPATH",
        why="whether a course is live is asked there: progress waits for it",
    ),
    Service(
        name="question count",
        job="assessment_aggregator",
        make=QuestionCountClient.from_settings,
        variable="CONTENT_READ_API",
        why="with assessment.skip.missingRecords attempts wait for the number of questions",
        needed=lambda settings: settings.assessment_aggregator.assessment_skip_missingrecords,
    ),
    Service(
        name="search",
        job="enrolment_reconciliation",
        make=lambda settings: SearchClient.from_settings(settings, "enrolment_reconciliation"),
        variable="SERVICE_SEARCH_BASEPATH",
        why="whether a course is live is asked there: reconciliation waits for it",
    ),
    Service(
        name="content",
        job="collection_cert_pre_processor",
        make=ContentClient.from_settings,
        variable="SERVICE_CONTENT_BASEPATH",
        why="certificates wait for names and types of contents",
    ),
    Service(
        name="users",
        job="collection_cert_pre_processor",
        make=UserClient.from_settings,
        variable="SERVICE_LEARNER_BASEPATH",
        why="certificates wait for the learner's name",
    ),
    Service(
        name="users",
        job="collection_certificate_generator",
        make=lambda settings: UserClient.from_settings(settings, "certificate_notification"),
        variable="SERVICE_LEARNER_BASEPATH",
        why="mails, text messages and feed entries about certificates wait",
    ),
    Service(
        name="user profiles",
        job="user_cache_updater",
        make=UserProfileClient.from_settings,
        variable="USER_READ_API_URL",
        why="changes of users do not reach the user cache, which reports read",
    ),
    Service(
        name="frameworks",
        job="user_cache_updater",
        make=FrameworkClient.from_settings,
        variable="SERVICE_TAXONOMY_BASEPATH",
        why="with framework_fields dynamic or both users wait for the categories of their framework",
        needed=lambda settings: settings.user_cache_updater.framework_fields != "legacy",
    ),
)


def checks(settings: Settings, jobs: Jobs) -> list[Check]:
    """One check a service that `jobs` ask as they are set, and the store of large values."""
    services = [service.check() for service in _SERVICES if service.job in jobs and service.needed(settings)]
    return [Check(name="files", look=_files, why="a dead letter too large for its topic is kept there"), *services]


def prefix(job: EventJob) -> str:
    """What the variables of a job begin with."""
    return f"LERN_{job.upper()}__"


def patient(settings: Settings) -> Settings:
    """The settings with short limits for HTTP."""
    http = settings.http
    limits = {
        "connect_timeout": min(http.connect_timeout, _PATIENCE),
        "read_timeout": min(http.read_timeout, _PATIENCE),
    }
    return settings.model_copy(update={"http": http.model_copy(update=limits)})


def _ping(service: Service, settings: Settings) -> Iterator[Finding]:
    client = None
    try:
        client = service.make(patient(settings))
        client.ping()
    except LernError as error:
        remedy = f"start it, or correct {prefix(service.job)}{service.variable}"
        yield problem(service.name, masked(str(error)), remedy)
    else:
        yield ok(service.name, "answers")
    finally:
        if client is not None:
            client.close()


def _files(settings: Settings) -> Iterator[Finding]:
    files = Files(settings.files.location)
    try:
        files.get(files.put(_PROBE, b"written by lern doctor\n"))
    except LernError as error:
        yield problem("files", masked(str(error)), "make LERN_FILES__URL writable, or set another")
    else:
        yield ok("files", f"{masked(settings.files.location)} can be written and read")
