"""What a process opens once, each at first use: never at import, never before a fork.

The core that every job needs; see docs/architecture.md, "Stores". What one domain talks to is in its own
`resources.py`, a class over this one.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol, TypeVar

from celery import Celery

from lern_tasks.connections.files import Files
from lern_tasks.connections.kafka import KafkaOut
from lern_tasks.connections.redis import RedisRoles
from lern_tasks.delivery.delivery_counter import DeliveryCounter
from lern_tasks.delivery.equal_letters import EqualLetters
from lern_tasks.delivery.idempotency import IdempotencyKeys
from lern_tasks.delivery.locks import Locks
from lern_tasks.delivery.outages.breakers import Breakers
from lern_tasks.delivery.resumable.checkpoints import RunStates
from lern_tasks.delivery.task_sender import Sender
from lern_tasks.settings import Settings
from lern_tasks.storage import open_gateway
from lern_tasks.storage.gateway import Gateway


class Dependency(Protocol):
    """What can be asked for a sign of life."""

    def ping(self) -> None:
        """Raises DependencyDown while it gives none."""


D = TypeVar("D", bound=Dependency)
R = TypeVar("R", bound="Resources")


class Resources:
    """What a task works with (`ctx`). Tests replace single members by assigning to them."""

    def __init__(self, settings: Settings, app: Celery) -> None:
        self.settings = settings
        self.app = app
        self.pid = os.getpid()
        self.probes: dict[str, Callable[[], None]] = {}

    def view(self, kind: type[R]) -> R:
        """The same resources as one domain sees them: whatever either of them opens, both have."""
        if isinstance(self, kind):
            return self
        seen = kind.__new__(kind)
        seen.__dict__ = self.__dict__
        return seen

    def now_ms(self) -> int:
        """Now, epoch ms."""
        return int(time.time() * 1000)

    def now(self) -> datetime:
        """Now, in UTC, to the millisecond."""
        return datetime.fromtimestamp(self.now_ms() / 1000, tz=UTC)

    def opened(self, name: str, dependency: D) -> D:
        """`dependency`, which is probed from now on when `name` is said to be down."""
        self.probes.setdefault(name, dependency.ping)
        return dependency

    def probe(self, name: str) -> None:
        """Ask the dependency `name` for a sign of life. Raises DependencyDown while it gives none."""
        if name in self.probes:
            self.probes[name]()

    def close(self) -> None:
        """Close the connections that were opened: the end of a command. A worker's child ends without it."""
        for name in ("gateway", "redis", "kafka", "sender"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    @cached_property
    def redis(self) -> RedisRoles:
        """Redis clients by role."""
        return self.opened("redis", RedisRoles(self.settings))

    @cached_property
    def gateway(self) -> Gateway:
        """The tables."""
        return self.opened("cassandra", open_gateway(self.settings))

    @cached_property
    def kafka(self) -> KafkaOut:
        """Records out."""
        return self.opened("kafka", KafkaOut(self.settings.kafka))

    @cached_property
    def files(self) -> Files:
        """Values too large for a topic."""
        return self.opened("files", Files(self.settings.files.location))

    @cached_property
    def sender(self) -> Sender:
        """Task messages out."""
        return self.opened("broker", Sender(self.app))

    @cached_property
    def locks(self) -> Locks:
        """Locks on rows."""
        return Locks(self.redis.client("state"), lease=self.settings.tasks.lock_lease)

    @cached_property
    def breakers(self) -> Breakers:
        """Which operations of services are out."""
        return Breakers.from_settings(self.redis.client("state"), self.settings)

    @cached_property
    def delivery_counter(self) -> DeliveryCounter:
        """How often messages were delivered."""
        return DeliveryCounter(self.redis.client("state"))

    @cached_property
    def idempotency_keys(self) -> IdempotencyKeys:
        """Things done at most once."""
        return IdempotencyKeys(self.redis.client("state"))

    @cached_property
    def equal_letters(self) -> EqualLetters:
        """How often equal dead letters came."""
        return EqualLetters(self.redis.client("state"))

    @cached_property
    def runs(self) -> RunStates:
        """How far resumable tasks are."""
        return RunStates(self.redis.client("state"))


_resources: Resources | None = None


def process_resources(settings: Settings, app: Celery) -> Resources:
    """The process's resources; a child made by fork gets its own."""
    global _resources  # noqa: PLW0603 (one for a process is the point)
    if _resources is None or _resources.pid != os.getpid():
        _resources = Resources(settings, app)
    return _resources
