"""Walks through all hashes of the user cache, and removes some. See docs/jobs/index_users.md, "Refresh"."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from lern_tasks.connections.redis import Client, translated
from lern_tasks.jobs.users.user_cache import NOTES, PREFIX

SIGN_IN = "usersignintype"

ANONYMOUS = "Anonymous"
"""The sign-in type of those who have no account; a hash without any is taken for one of them too."""

_COPIED = ("userid", SIGN_IN, "userlogintype")
"""All that reports need of somebody without account."""

_REMOVE = """
if tonumber(redis.call('HGET', KEYS[2], 'token') or '0') > tonumber(ARGV[1]) then return 0 end
local kind = redis.call('HGET', KEYS[1], 'usersignintype')
if not kind or kind == ARGV[2] then return 0 end
return redis.call('DEL', KEYS[1])
"""
"""Not what the stream job wrote later than the user was looked for, nor what is anonymous by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashes:
    """Some of the hashes: the wanted fields of each user. `after` resumes behind them, None is the end."""

    found: Mapping[str, Mapping[str, str]] = field(repr=False)
    after: str | None

    def anonymous(self) -> dict[str, Mapping[str, str]]:
        """Those of users without account."""
        return {user: fields for user, fields in self.found.items() if fields.get(SIGN_IN, ANONYMOUS) == ANONYMOUS}


class UserCacheSweep:
    """The hashes of one database, in no order. Each is seen at least once; one that comes or goes meanwhile may be."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def page(self, after: str | None, limit: int) -> Hashes:
        """About `limit` hashes, with the fields that are copied. Raises DependencyDown."""
        with translated():
            cursor, keys = self._client.scan(int(after or 0), match=PREFIX + "*", count=limit)
        found: dict[str, dict[str, str]] = {}
        for part in _parts(keys, limit):
            pipe = self._client.pipeline(transaction=False)
            for key in part:
                pipe.hmget(key, _COPIED)
            with translated():
                answers = pipe.execute(raise_on_error=False)
            for key, values in zip(part, answers, strict=True):
                if _is_hash(values):
                    found[key.removeprefix(PREFIX)] = {
                        name: text for name, text in zip(_COPIED, values, strict=True) if text is not None
                    }
        return Hashes(found=found, after=str(cursor) if cursor else None)

    def size(self) -> int:
        """How many keys the database has, hashes or not. Raises DependencyDown."""
        with translated():
            return int(self._client.dbsize())

    def remove(self, user_ids: Sequence[str], token: int) -> int:
        """Remove the hashes of registered users whom nobody wrote after `token`; how many. Raises DependencyDown."""
        pipe = self._client.pipeline(transaction=False)
        for user_id in user_ids:
            pipe.eval(_REMOVE, 2, PREFIX + user_id, NOTES + user_id, token, ANONYMOUS)
        with translated():
            return sum(pipe.execute())


def _is_hash(answer: Any) -> bool:
    """False for a key of another kind; an error about the server is raised."""
    if isinstance(answer, redis.ResponseError) and "WRONGTYPE" in str(answer):
        return False
    if isinstance(answer, redis.RedisError):
        with translated():
            raise answer
    return True


def _parts(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
