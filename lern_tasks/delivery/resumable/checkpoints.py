"""How far resumable tasks are, by task id, in the state Redis.

See docs/administration.md, "How a long task goes on".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lern_tasks.connections.redis import Client, translated
from lern_tasks.delivery.record import Attempts

_EXPIRY = 7 * 86_400
"""Seconds, renewed by every page: longer than an outage is waited out, and than anybody asks for the answer."""

_WRITE = """
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'run', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""
"""Only over the version that was read: of two deliveries of one message one goes on, and nothing is counted twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far the work is, as it is stored: the names of the members are those of runs under way.

    `after`: what the next page needs to know, None at the start. `done`: how much lies behind, from 0 to 1. `result`:
    what was found so far, in JSON types; at the end the task's result.
    """

    after: str | None = None
    done: float = 0.0
    ended: bool = False
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """One run of a resumable task, as it is stored: the names of the members are those of runs under way.

    `stand` is the checkpoint, `slice` the number of the message that goes on from it: those with a smaller number are
    doubles of older ones. `attempt`, `not_yet` and `first_failed_ms` are the `attempts` of the page that is next.
    """

    stand: Checkpoint = field(default_factory=Checkpoint)
    slice: int = 0
    version: int = 0
    attempt: int = 0
    not_yet: int = 0
    first_failed_ms: int | None = None

    @property
    def attempts(self) -> Attempts:
        """What the page has spent of its retries."""
        return Attempts(attempt=self.attempt, not_yet=self.not_yet, first_failed_ms=self.first_failed_ms)


class RunStates:
    """The runs by task id."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def read(self, task_id: str) -> RunState | None:
        """The run; None when it has not begun, or ended long ago. Raises DependencyDown."""
        with translated():
            text = self._client.hget(_key(task_id), "run")
        return msgspec.json.decode(text, type=RunState) if text else None

    def write(self, task_id: str, run: RunState) -> bool:
        """Write `run` over the version before it; False when another delivery was faster. Raises DependencyDown."""
        text = msgspec.json.encode(run).decode()
        with translated():
            written = self._client.eval(_WRITE, 1, _key(task_id), run.version - 1, run.version, text, _EXPIRY)
        return bool(written)


def _key(task_id: str) -> str:
    return f"lern:run:{task_id}"
