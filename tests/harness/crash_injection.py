"""Processes that die: every effect of a world is counted, and the process ends before the one that is chosen."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lern_tasks.connections.kafka import OutMessage
from lern_tasks.delivery.locks import HeldLocks, Locks
from lern_tasks.errors import LernError
from lern_tasks.jobs.progress.rules.content_counts import PendingCounts
from lern_tasks.jobs.users.user_cache import Change
from lern_tasks.storage.gateway import Key, Mutation
from tests.harness.fake_resources import FakeResources


class Died(BaseException):
    """The process ended here, as by kill -9: nothing of it does anything any more."""


class Life:
    """Counts the effects of one process; it dies before the `end`-th (from 1), or never."""

    def __init__(self, end: int | None = None) -> None:
        self.effects: list[str] = []
        self.dead = False
        self._end = end

    def effect(self, name: str) -> None:
        """Raises Died when this is the chosen one, and for all that the dead process tries afterwards."""
        if self.dead:
            raise Died
        if len(self.effects) + 1 == self._end:
            self.dead = True
            raise Died
        self.effects.append(name)


class Mortal:
    """`of`, whose methods named in `effects` count."""

    def __init__(self, of: Any, life: Life, *effects: str) -> None:
        self._of = of
        self._life = life
        self._effects = effects

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Any] = getattr(self._of, name)
        if name not in self._effects:
            return method

        def call(*args: Any, **options: Any) -> Any:
            self._life.effect(f"{type(self._of).__name__}.{name}")
            return method(*args, **options)

        return call


class MortalGateway(Mortal):
    """Writes one mutation after the other, from the first row or from the last: no order is promised between rows."""

    backwards = False

    def apply(self, mutations: Sequence[Mutation], **_options: Any) -> list[LernError | None]:
        rows: dict[tuple[str, Key], list[int]] = {}
        for index, mutation in enumerate(mutations):
            rows.setdefault((mutation.table.name, mutation.key), []).append(index)
        results: dict[int, LernError | None] = {}
        for (name, _), indexes in sorted(rows.items(), reverse=True) if self.backwards else rows.items():
            for index in indexes:
                self._life.effect(f"write {name}")
                (results[index],) = self._of.apply([mutations[index]])
        return [results[index] for index in range(len(mutations))]


class MortalKafka(Mortal):
    """Confirms one message after the other."""

    def publish(self, messages: Sequence[OutMessage]) -> list[LernError | None]:
        results: list[LernError | None] = []
        for message in messages:
            self._life.effect(f"publish to {message.topic}")
            results += self._of.publish([message])
        return results


class MortalSeen(Mortal):
    """Notes down one count after the other; markers are set in one transaction."""

    def write_ahead(self, pending: Mapping[str, PendingCounts]) -> None:
        for checksum, counts in pending.items():
            self._life.effect("note down counts")
            self._of.write_ahead({checksum: counts})


class MortalUserCache(Mortal):
    """Changes one user after the other, from the first or from the last: each is changed whole or not at all."""

    backwards = False

    def write(self, changes: Sequence[Change]) -> dict[str, LernError]:
        errors: dict[str, LernError] = {}
        for change in reversed(changes) if self.backwards else changes:
            self._life.effect("write user")
            errors |= self._of.write([change])
        return errors


class MortalLocks(Locks):
    """Locks of a process that cannot release them once it is dead. Tests are too short for leases to be renewed."""

    def __init__(self, locks: Locks, life: Life) -> None:
        super().__init__(locks._client, lease=locks._lease_ms / 1000)
        self._life = life

    def _renew_forever(self) -> None:
        """Nothing: the thread ends at once."""

    def acquire(self, keys: Sequence[str]) -> HeldLocks:
        self._life.effect("take locks")
        return super().acquire(keys)

    def release(self, values: Mapping[str, str]) -> frozenset[str]:
        if not values or self._life.dead:
            return frozenset()
        self._life.effect("release locks")
        return super().release(values)


def make_mortal(ctx: FakeResources, life: Life, *, backwards: bool = False) -> None:
    """Let every effect of `ctx` be counted by `life`."""
    gateway = MortalGateway(ctx.gateway, life)
    users = MortalUserCache(ctx.user_cache, life)
    gateway.backwards = users.backwards = backwards
    members: dict[str, Any] = {
        "gateway": gateway,
        "locks": MortalLocks(ctx.locks, life),
        "kafka": MortalKafka(ctx.kafka, life),
        "sender": Mortal(ctx.sender, life, "send", "send_named"),
        "runs": Mortal(ctx.runs, life, "write"),
        "markers": MortalSeen(ctx.markers, life, "mark"),
        "intents": Mortal(ctx.intents, life, "write", "forget"),
        "idempotency_keys": Mortal(ctx.idempotency_keys, life, "claim", "release"),
        "delivery_counter": Mortal(ctx.delivery_counter, life, "increment", "reset"),
        "relation_cache": Mortal(ctx.relation_cache, life, "replace"),
        "registry": Mortal(ctx.registry, life, "create", "delete"),
        "user_cache": users,
        "user_hashes": Mortal(ctx.user_hashes, life, "remove"),
        "index_runs": Mortal(ctx.index_runs, life, "claim", "release", "begun"),
        "notifications": Mortal(ctx.notifications, life, "email", "sms", "feed"),
    }
    if ctx.settings.collection_certificate_generator.cert_container_name:
        members["certificate_files"] = Mortal(ctx.certificate_files, life, "put")
        members["old_registry"] = Mortal(ctx.old_registry, life, "add")
    for name, member in members.items():
        setattr(ctx, name, member)
