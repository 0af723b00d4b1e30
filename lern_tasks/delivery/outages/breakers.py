"""The breakers of all operations in the state Redis: a hash, changed by compare and set. See docs/architecture.md,
"Outages"."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import msgspec

from lern_tasks.connections.redis import Client, translated
from lern_tasks.delivery.outages import breaker as rules
from lern_tasks.delivery.outages.breaker import Breaker, Timing
from lern_tasks.settings import Settings

KEY = "lern:operations"
"""The hash in the state Redis; a field an operation, `<dependency> <operation>`."""

_CHANGE = """
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""

_TRIES = 20
"""Times that a change is tried while others change the same breaker; then it is left to them, who know as much."""

_LEASE_MARGIN = 15.0
"""Seconds of the lease beyond one call: what the record does between asking whether it may, and telling how it went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A breaker before and after a change at `now_ms`."""

    before: Breaker
    after: Breaker
    now_ms: int


class Breakers:
    """The breakers, as all processes see them. Every method raises DependencyDown("redis")."""

    def __init__(self, client: Client, timing: Timing) -> None:
        self._client = client
        self._timing = timing

    @classmethod
    def from_settings(cls, client: Client, settings: Settings) -> Self:
        """With the pauses between probes that tasks have, and a lease that outlives one call."""
        tasks, http = settings.tasks, settings.http
        lease = http.connect_timeout + http.read_timeout + _LEASE_MARGIN
        timing = Timing(
            probe_min_ms=int(tasks.probe_min * 1000),
            probe_max_ms=int(tasks.probe_max * 1000),
            lease_ms=int(lease * 1000),
        )
        return cls(client, timing)

    def admit(self, operation: str, record: str) -> bool:
        """Whether `record` may ask now; of an operation that is out it is then the one that probes."""
        return self._change(operation, lambda old, now: rules.admitted(old, record, now, self._timing)) is not None

    def rest(self, operation: str) -> bool:
        """Whether nobody may ask now."""
        text, now_ms = self._read(operation)
        return rules.rests(_breaker(text), now_ms, self._timing)

    def succeeded(self, operation: str, record: str) -> Changed | None:
        """A call for `record` succeeded."""
        return self._change(operation, lambda old, now: rules.succeeded(old, record, now))

    def failed(self, operation: str, record: str, error: str) -> Changed | None:
        """A call for `record` failed."""
        return self._change(operation, lambda old, now: rules.failed(old, record, error, now, self._timing))

    def abandoned(self, operation: str, record: str) -> None:
        """A call for `record` said nothing of the service."""
        self._change(operation, lambda old, _now: rules.abandoned(old, record))

    def out(self) -> dict[str, Breaker]:
        """The operations that are out."""
        with translated():
            texts = self._client.hgetall(KEY)
        found = {operation: _breaker(text) for operation, text in sorted(texts.items())}
        return {operation: breaker for operation, breaker in found.items() if breaker.is_open}

    def _change(self, operation: str, change: Callable[[Breaker, int], Breaker | None]) -> Changed | None:
        """What was changed; None when the rule says no, or others change it all the time."""
        for _ in range(_TRIES):
            text, now_ms = self._read(operation)
            before = _breaker(text)
            after = change(before, now_ms)
            if after is None:
                return None
            changed = Changed(before=before, after=after, now_ms=now_ms)
            if after == before:
                return changed
            with translated():
                if self._client.eval(_CHANGE, 1, KEY, operation, text, msgspec.json.encode(after).decode()):
                    return changed
        return None

    def _read(self, operation: str) -> tuple[str, int]:
        pipe = self._client.pipeline(transaction=False)
        pipe.hget(KEY, operation)
        pipe.time()
        with translated():
            text, (seconds, microseconds) = pipe.execute()
        return text or "", int(seconds) * 1000 + int(microseconds) // 1000


def _breaker(text: str) -> Breaker:
    """What is stored; what another version stored otherwise counts as nothing, and is written anew."""
    try:
        return msgspec.json.decode(text, type=Breaker)
    except msgspec.MsgspecError:
        return Breaker()
