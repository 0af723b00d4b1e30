"""Locks with leases, whose fencing tokens are write timestamps. See docs/architecture.md, "Locks"."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import uuid4

from lern_tasks.connections.redis import Client, translated

_PREFIX = "lern:lock:"
_TOKEN_KEY = "lern:lock-token"  # noqa: S105 (a key's name)

_TAKE = """
local last = KEYS[#KEYS]
local time = redis.call('TIME')
local token = tonumber(time[1]) * 1000000 + tonumber(time[2])
local previous = tonumber(redis.call('GET', last) or '0')
if token <= previous then token = previous + 1 end
local text = string.format('%.0f', token)
redis.call('SET', last, text)
local taken = {}
for i = 1, #KEYS - 1 do
  if redis.call('SET', KEYS[i], ARGV[1] .. '|' .. text, 'NX', 'PX', ARGV[2]) then
    taken[i] = text
  else
    taken[i] = ''
  end
end
return taken
"""
"""Takes what is free. The fencing token is the server's time in microseconds, strictly rising from call to call."""

_RELEASE = """
local mine = {}
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[i] then
    redis.call('DEL', KEYS[i])
    mine[i] = 1
  else
    mine[i] = 0
  end
end
return mine
"""

_RENEW = """
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[i] then redis.call('PEXPIRE', KEYS[i], ARGV[#ARGV]) end
end
return 0
"""

_PAUSE = 0.05
"""Seconds between two tries for a busy lock: a message holds its locks for a few tens of milliseconds."""


class HeldLocks:
    """Locks held. `tokens` gives each key's fencing token: the write timestamp, in microseconds, of its rows."""

    def __init__(self, locks: "Locks", values: Mapping[str, str]) -> None:
        self._locks = locks
        self._values = dict(values)
        self.tokens = {key: int(value.rpartition("|")[2]) for key, value in values.items()}

    def release(self) -> frozenset[str]:
        """Give the locks back. Returns the keys that were lost meanwhile: what was written under them was late."""
        values, self._values = self._values, {}
        return self._locks.release(values)


class Locks:
    """The locks of one process in the state Redis; one thread renews what is held."""

    def __init__(self, client: Client, *, lease: float) -> None:
        self._client = client
        self._lease_ms = int(lease * 1000)
        self._held: dict[str, str] = {}
        self._guard = threading.Lock()
        self._renewal: threading.Thread | None = None

    def acquire_in_batches(self, keys: Iterable[str], *, wait: float) -> Iterator[HeldLocks]:
        """Held locks that together cover `keys`, each released before the next is tried for.

        Nobody waits while holding. Keys that stay busy for `wait` seconds are left out: the caller finds them by what
        it was not given. Raises DependencyDown.
        """
        remaining = list(dict.fromkeys(keys))
        deadline = time.monotonic() + wait
        while remaining:
            locks = self.acquire(remaining)
            if locks.tokens:
                try:
                    yield locks
                finally:
                    locks.release()
                remaining = [key for key in remaining if key not in locks.tokens]
            elif time.monotonic() >= deadline:
                return
            else:
                time.sleep(_PAUSE)

    def acquire_all(self, keys: Sequence[str], *, wait: float) -> HeldLocks | None:
        """All of `keys`, or none: while one is busy, those that are free are given back at once.

        None when one stays busy for `wait` seconds. Raises DependencyDown.
        """
        deadline = time.monotonic() + wait
        while True:
            locks = self.acquire(keys)
            if len(locks.tokens) == len(keys):
                return locks
            locks.release()
            if time.monotonic() >= deadline:
                return None
            time.sleep(_PAUSE)

    def acquire(self, keys: Sequence[str]) -> HeldLocks:
        """Take those of `keys` that are free, in one call. Raises DependencyDown."""
        owner = uuid4().hex
        with translated():
            taken = self._client.eval(
                _TAKE, len(keys) + 1, *(_PREFIX + key for key in keys), _TOKEN_KEY, owner, str(self._lease_ms)
            )
        values = {key: f"{owner}|{token}" for key, token in zip(keys, taken, strict=True) if token}
        with self._guard:
            self._held.update(values)
            if self._renewal is None and values:
                self._renewal = threading.Thread(target=self._renew_forever, name="lock-renewal", daemon=True)
                self._renewal.start()
        return HeldLocks(self, values)

    def release(self, values: Mapping[str, str]) -> frozenset[str]:
        """Release `values` (key and owner's value); the keys that had gone to somebody else. Raises DependencyDown."""
        if not values:
            return frozenset()
        with self._guard:
            for key in values:
                self._held.pop(key, None)
        with translated():
            mine = self._client.eval(_RELEASE, len(values), *(_PREFIX + key for key in values), *values.values())
        return frozenset(key for key, still in zip(values, mine, strict=True) if not still)

    def _renew_forever(self) -> None:
        # A third of the lease: two renewals may fail before a lock is lost.
        while True:
            time.sleep(self._lease_ms / 3000)
            with self._guard:
                held = dict(self._held)
            if held:
                self._renew(held)

    def _renew(self, held: Mapping[str, str]) -> None:
        try:
            with translated():
                self._client.eval(
                    _RENEW, len(held), *(_PREFIX + key for key in held), *held.values(), str(self._lease_ms)
                )
        except Exception:  # noqa: S110 (not renewed is what the release finds out, and reports)
            pass
