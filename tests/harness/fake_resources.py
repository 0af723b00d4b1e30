"""A world without network: fakeredis, SQLite, and recorders for Kafka and the task broker."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fakeredis
from celery import Celery

from lern_tasks.catalogue import JobName
from lern_tasks.connections.kafka import OutMessage
from lern_tasks.delivery.record import Record
from lern_tasks.errors import DependencyDown, LernError
from lern_tasks.jobs.accounts.resources import AccountResources
from lern_tasks.jobs.assessments.resources import AssessmentResources
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.progress.resources import ProgressResources
from lern_tasks.jobs.users.resources import UserResources
from lern_tasks.settings import Settings


class FakeRedisRoles:
    """One fakeredis server, a database a role as in the defaults."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = fakeredis.FakeServer()

    def client(self, role: Any, job: JobName | None = None) -> Any:
        database = int(self._settings.redis_url(role, job).rpartition("/")[2])
        return fakeredis.FakeRedis(server=self._server, db=database, decode_responses=True)

    def ping(self) -> None:
        if not self._server.connected:
            raise DependencyDown("redis")

    def close(self) -> None:
        """Nothing to close."""


class RecordingKafka:
    """Keeps what was published; `errors` are given to the next messages, one each."""

    def __init__(self) -> None:
        self.messages: list[OutMessage] = []
        self.errors: list[LernError] = []
        self.down = False

    def publish(self, messages: Sequence[OutMessage]) -> list[LernError | None]:
        return [self._publish(message) for message in messages]

    def _publish(self, message: OutMessage) -> LernError | None:
        if self.down:
            return DependencyDown("kafka")
        if self.errors:
            return self.errors.pop(0)
        self.messages.append(message)
        return None

    def to(self, topic_end: str) -> list[OutMessage]:
        return [message for message in self.messages if message.topic.endswith(topic_end)]

    def ping(self) -> None:
        if self.down:
            raise DependencyDown("kafka")

    def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A task message that was sent."""

    job: JobName
    records: Sequence[Record]
    task_id: str
    countdown: float | None
    queue: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentNamed:
    """A task with keyword arguments that was sent."""

    name: str
    kwargs: Mapping[str, Any]
    task_id: str
    queue: str
    countdown: float | None


class RecordingSender:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.named: list[SentNamed] = []
        self.down = False

    def send(
        self,
        job: JobName,
        records: Sequence[Record],
        *,
        task_id: str,
        countdown: float | None = None,
    ) -> None:
        if self.down:
            raise DependencyDown("broker")
        queue = "bulk" if any(record.bulk for record in records) else None
        self.sent.append(Sent(job=job, records=records, task_id=task_id, countdown=countdown, queue=queue))

    def send_named(
        self, name: str, kwargs: Mapping[str, Any], *, task_id: str, queue: str, countdown: float | None = None
    ) -> None:
        if self.down:
            raise DependencyDown("broker")
        self.named.append(SentNamed(name=name, kwargs=kwargs, task_id=task_id, queue=queue, countdown=countdown))

    def to(self, job: JobName) -> Iterator[Sent]:
        return (sent for sent in self.sent if sent.job == job)

    def ping(self) -> None:
        if self.down:
            raise DependencyDown("broker")


class FakeResources(ProgressResources, AssessmentResources, CertificateResources, AccountResources, UserResources):
    """The world of unit tests. `time_ms` stands still unless moved."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        super().__init__(settings, Celery("test"))
        self.time_ms = 1_700_000_000_000
        self.redis = FakeRedisRoles(settings)  # type: ignore[assignment]
        self.sent = RecordingSender()
        self.published = RecordingKafka()
        self.sender = self.sent  # type: ignore[assignment]
        self.kafka = self.published  # type: ignore[assignment]
        self.directory = directory
        self.probes |= {"redis": self._ping("redis"), "kafka": self._ping("kafka"), "broker": self._ping("sender")}

    def _ping(self, member: str) -> Callable[[], None]:
        """Asks whatever stands in for the member then."""
        return lambda: getattr(self, member).ping()

    def now_ms(self) -> int:
        return self.time_ms
