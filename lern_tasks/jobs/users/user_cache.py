"""The user cache: HASH `user:{id}`, which the reports, the summary and the telemetry de-normaliser read.

Two jobs write it, so each write carries a fencing token (`Locks.acquire`: Redis' time in microseconds, strictly
rising) that was given before its data were read: a write with an older token than the last one's is refused, since its
data are older.
See docs/jobs/user_cache_updater.md, "Rows".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from lern_tasks.connections.redis import Client, translated
from lern_tasks.errors import LernError, LockBusy, TransientError

PREFIX = "user:"
"""What the keys of the hashes begin with, and no other key of this database."""

NOTES = "lern:user-cache:"
"""Beside each hash, what only its writers need. Not in the hash, and not `user:...`: readers take all of both."""

_TOKEN = "token"  # noqa: S105 (a field's name)

_TOKEN_TTL = 86_400
"""A day: a task or a page of the bulk job that has read users writes them, or is dead, within minutes."""

_EVENT_TTL = 31 * 86_400
"""An event may come as late as its dead letter can be replayed, and failed topics keep 30 days."""

_WRITE = """
if tonumber(redis.call('HGET', KEYS[2], 'token') or '0') > tonumber(ARGV[1]) then return 0 end
local fields, removed = tonumber(ARGV[3]), tonumber(ARGV[4])
if fields > 4 then redis.call('HSET', KEYS[1], unpack(ARGV, 5, fields)) end
if removed > fields then redis.call('HDEL', KEYS[1], unpack(ARGV, fields + 1, removed)) end
redis.call('HSET', KEYS[2], 'token', ARGV[1], unpack(ARGV, removed + 1))
if redis.call('TTL', KEYS[2]) < tonumber(ARGV[2]) then redis.call('EXPIRE', KEYS[2], ARGV[2]) end
return 1
"""
"""ARGV: token, TTL of the notes, index of the last field, index of the last removed name; fields, names, notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is stored of a user; empty when there is nothing.

    `fields` holds personal data: never log it. `event_times`: of each field that came from an event, the time of that
    event, epoch ms.
    """

    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    event_times: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Fields to set and to remove of one user, at once; other fields stay. `event_times` as in Entry."""

    user_id: str
    token: int
    fields: Mapping[str, str] = field(repr=False)
    removed: frozenset[str] = frozenset()
    event_times: Mapping[str, int] = field(default_factory=dict)


class UserCache:
    """Reads and changes the hashes of many users in one round trip. The hashes never expire."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def read(self, user_ids: Iterable[str]) -> dict[str, Entry | LernError]:
        """What is stored of each user, or TransientError where another kind of key is in its place.

        Raises DependencyDown.
        """
        wanted = list(dict.fromkeys(user_ids))
        pipe = self._client.pipeline(transaction=False)
        for user_id in wanted:
            pipe.hgetall(PREFIX + user_id)
            pipe.hgetall(NOTES + user_id)
        found = _executed(pipe)
        return {user_id: _entry(*found[2 * index : 2 * index + 2]) for index, user_id in enumerate(wanted)}

    def write(self, changes: Sequence[Change]) -> dict[str, LernError]:
        """Make each change whole or not at all; why users were not changed.

        LockBusy: somebody who read the user later has written already. TransientError: another kind of key is in the
        place of the hash. Raises DependencyDown, after which some may be written: writing again does no harm.
        """
        pipe = self._client.pipeline(transaction=False)
        for change in changes:
            pipe.eval(_WRITE, 2, PREFIX + change.user_id, NOTES + change.user_id, *_arguments(change))
        results = zip(changes, _executed(pipe), strict=True)
        refused = LockBusy("a later read of this user was written before")
        return {
            change.user_id: result if isinstance(result, LernError) else refused
            for change, result in results
            if result != 1
        }


def _arguments(change: Change) -> list[Any]:
    fields = [part for pair in change.fields.items() for part in pair]
    notes = [part for pair in change.event_times.items() for part in pair]
    last = 4 + len(fields)
    ttl = _EVENT_TTL if notes else _TOKEN_TTL
    return [change.token, ttl, last, last + len(change.removed), *fields, *sorted(change.removed), *notes]


def _executed(pipe: Any) -> list[Any]:
    """The results of the commands, each by itself: an error of one is its result, as one of ours."""
    with translated():
        return [_translated(result) for result in pipe.execute(raise_on_error=False)]


def _translated(result: Any) -> Any:
    """An error about one key as its result. Raises DependencyDown for one that is about the server."""
    if not isinstance(result, redis.RedisError):
        return result
    if isinstance(result, redis.ResponseError) and "WRONGTYPE" in str(result):
        return TransientError("the key of this user holds no hash; delete it", dependency="redis")
    with translated():
        raise result


def _entry(fields: Mapping[str, str] | LernError, notes: Mapping[str, str] | LernError) -> Entry | LernError:
    if isinstance(fields, LernError):
        return fields
    if isinstance(notes, LernError):
        return notes
    times = {name: int(text) for name, text in notes.items() if name != _TOKEN}
    return Entry(fields=fields, event_times=times)
