"""Where the jobs are played: a chain that notes down what a job reads, writes, asks and publishes."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import fakeredis

from lern_tasks.catalogue import JobName
from lern_tasks.demo.platform.old_registry import OldRegistry
from lern_tasks.demo.platform.platform_api import PlatformApi
from lern_tasks.demo.platform.registry import Registry
from lern_tasks.demo.platform.service import RecordedRequest
from lern_tasks.errors import LernError
from lern_tasks.settings import Settings
from lern_tasks.storage.cassandra.gateway import CassandraGateway
from lern_tasks.storage.gateway import BATCH_SIZE, Mutation
from lern_tasks.storage.table import Table
from tests.harness.crash_injection import Life
from tests.harness.fake_resources import FakeResources
from tests.harness.in_process import Chain
from tests.harness.mock_kafka import mock_kafka


@dataclass(slots=True)
class Notes:
    """What a job touched: tables by full name, sizes of batches, Redis commands with the address that got them."""

    read: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    batches: list[int] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    taking: bool = False

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take notes meanwhile; what happens outside is the scene's own."""
        self.taking = True
        yield
        self.taking = False


class Services:
    """The services that jobs call, for all stages."""

    def __init__(self) -> None:
        self.registry, self.platform, self.old = Registry(), PlatformApi(), OldRegistry()
        self._stack = ExitStack()

    @cached_property
    def kafka(self) -> str:
        """The address of a Kafka, started at first use."""
        return self._stack.enter_context(mock_kafka()).bootstrap

    def __enter__(self) -> Self:
        for service in (self.registry, self.platform, self.old):
            self._stack.enter_context(service)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def forget(self) -> None:
        """Begin a new record of requests."""
        for service in (self.registry, self.platform, self.old):
            service.forget_requests()

    @property
    def requests(self) -> list[RecordedRequest]:
        """What was asked."""
        return [*self.platform.requests, *self.registry.requests, *self.old.requests]

    def addressed(self, value: str) -> str:
        """`value` with the services' addresses for their names: `$platform`, `$registry`, `$old`, `$kafka`."""
        for name, service in (("platform", self.platform), ("registry", self.registry), ("old", self.old)):
            value = value.replace(f"${name}", service.url)
        return value.replace("$kafka", self.kafka) if "$kafka" in value else value


class Stage(Chain):
    """One environment in which one scene is played."""

    def __init__(self, directory: Path, services: Services, **env: str) -> None:
        self.notes = Notes()
        self.services = services
        self.requests: list[RecordedRequest] = []
        self.outcome: dict[str, int] = {}
        self._addresses: defaultdict[str, fakeredis.FakeServer] = defaultdict(fakeredis.FakeServer)
        services.forget()
        super().__init__(directory, services.registry, services.platform, **env)

    def new_ctx(self, life: Life | None = None, *, backwards: bool = False, lapsed: bool = True) -> FakeResources:
        """A process that does not die and takes notes."""
        del backwards, lapsed
        self.life = life or Life()
        ctx = FakeResources(self.settings, self.directory)
        ctx.redis = Addresses(self.settings, self._addresses, self.notes)  # type: ignore[assignment]
        ctx.gateway = Tables(ctx.gateway, self.settings, self.notes)
        ctx.sender = ctx.sent = self.sender  # type: ignore[assignment]
        ctx.kafka = ctx.published = self.published  # type: ignore[assignment]
        self._old.append(ctx)
        self.ctx = ctx
        return ctx

    def deliver(self, job: JobName, *events: Any, follow: bool = False) -> None:
        """Run one message, and with `follow` all that it leads to, and note down what is touched."""
        with self.notes.taken():
            self.outcome = {name: count for name, count in self.run(job, *map(self.record, events)).items() if count}
            if follow:
                self.drain()
        self.requests = self.services.requests

    def platform_requests(self, path_end: str) -> list[RecordedRequest]:
        """The requests whose path ends so."""
        return [each for each in self.requests if each.path.endswith(path_end)]


class Addresses:
    """A Redis server for each address that the settings lead to."""

    def __init__(self, settings: Settings, servers: defaultdict[str, fakeredis.FakeServer], notes: Notes) -> None:
        self._settings = settings
        self._servers = servers
        self._notes = notes

    def client(self, role: Any, job: JobName | None = None) -> Any:
        """The client of a role, as `RedisRoles` chooses its address."""
        url = urlsplit(self._settings.redis_url(role, job))
        client = _NotingRedis(server=self._servers[url.netloc], db=int(url.path[1:]), decode_responses=True)
        client.noted = partial(self._note, f"{url.netloc}{url.path}")
        return client

    def ping(self) -> None:
        """Always there."""

    def close(self) -> None:
        """Nothing to close."""

    def _note(self, address: str, command: Sequence[Any]) -> None:
        if self._notes.taking:
            self._notes.commands.append((address, " ".join(map(str, command))))


class _NotingRedis(fakeredis.FakeRedis):
    noted: Callable[[Sequence[Any]], None]

    def execute_command(self, *args: Any, **options: Any) -> Any:
        self.noted(args)
        return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, *args: Any, **options: Any) -> Any:
        pipe: Any = super().pipeline(*args, **options)
        plain = pipe.execute_command

        def execute_command(*command: Any, **how: Any) -> Any:
            self.noted(command)
            return plain(*command, **how)

        pipe.execute_command = execute_command
        return pipe


class Tables:
    """A gateway that notes down tables; it makes batches as that of Cassandra does, and writes them elsewhere."""

    def __init__(self, of: Any, settings: Settings, notes: Notes) -> None:
        self._of = of
        self._notes = notes
        self._batches = _Batches(of, settings, notes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def get_many(self, table: Table, *args: Any) -> Any:
        """Read rows."""
        return self._reading(table).get_many(table, *args)

    def select_many(self, table: Table, *args: Any) -> Any:
        """Read rows under prefixes."""
        return self._reading(table).select_many(table, *args)

    def apply(self, mutations: Sequence[Mutation], *, batch_size: int = BATCH_SIZE) -> list[LernError | None]:
        """Write."""
        if self._notes.taking:
            self._notes.written |= {change.table.full_name for change in mutations}
        return self._batches.apply(mutations, batch_size=batch_size)

    def _reading(self, table: Table) -> Any:
        if self._notes.taking:
            self._notes.read.add(table.full_name)
        return self._of


class _Batches(CassandraGateway):
    """The grouping of Cassandra's gateway, without Cassandra."""

    def __init__(self, of: Any, settings: Settings, notes: Notes) -> None:
        super().__init__(settings)
        self._of = of
        self._notes = notes

    def _connected(self) -> Any:
        return None

    def _refused(self, tables: Any) -> Any:
        return {}

    def _statement(self, session: Any, change: Mutation) -> Any:
        return change

    def _write(self, session: Any, groups: Any) -> Iterator[Any]:
        for group in groups:
            if self._notes.taking:
                self._notes.batches.append(len(group))
            errors = self._of.apply([change for _, change in group])
            yield from ((index, error) for (index, _), error in zip(group, errors, strict=True) if error is not None)
