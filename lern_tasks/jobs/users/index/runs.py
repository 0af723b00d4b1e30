"""Which run of the bulk index goes on, and which was the last. See docs/jobs/index_users.md, "One run at a time"."""

from dataclasses import dataclass

from lern_tasks.connections.redis import Client, translated

_HOLDER = "lern:index-users:holder"
_LAST = "lern:index-users:last"

_LAST_EXPIRY = 7 * 86_400
"""Seconds: as long as the checkpoint of a run is kept (`delivery.resumable.checkpoints`)."""

_CLAIM = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return {holder, redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {}
"""

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The run that goes on, or was killed less than `seconds` before its claim ends."""

    run: str
    seconds: float


class IndexRuns:
    """The claims of runs in the state Redis."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def claim(self, owner: str, *, lease: float) -> Holder | None:
        """Claim for `lease` seconds, or renew the claim; who has it instead, if somebody has. Raises DependencyDown."""
        with translated():
            answer = self._client.eval(_CLAIM, 1, _HOLDER, owner, int(lease * 1000))
        return Holder(run=str(answer[0]), seconds=max(0, int(answer[1])) / 1000) if answer else None

    def release(self, owner: str) -> None:
        """Give the claim back, if `owner` has it. Raises DependencyDown."""
        with translated():
            self._client.eval(_RELEASE, 1, _HOLDER, owner)

    def begun(self, run: str) -> None:
        """Remember the id of the last run that began. Raises DependencyDown."""
        with translated():
            self._client.set(_LAST, run, ex=_LAST_EXPIRY)

    def last(self) -> str | None:
        """The id of the last run that began within a week. Raises DependencyDown."""
        with translated():
            found = self._client.get(_LAST)
        return str(found) if found else None
