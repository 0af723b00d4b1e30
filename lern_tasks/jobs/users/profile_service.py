"""The user service as the user cache asks it. See docs/jobs/user_cache_updater.md, "User read"."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http, json_of, member, segment
from lern_tasks.errors import NotReady, TransientError
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings

NAME: Final = "user_profiles"
"""The dependency's name in errors: not that of the certificates' user service, which may lie elsewhere."""

_BLOCKED = "UOS_USRRED0006"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A user as the service gives it; no fields when the account is blocked.

    `fields` holds personal data: never log it.
    """

    blocked: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)


class UserProfileClient:
    """`base` is the documented `user-read.api.url`, with a slash at its end or without.

    `fields` is what `?fields=` asks for, empty for no query; `blocked_codes` the response codes of a blocked account.
    """

    def __init__(
        self,
        base: str,
        *,
        http: HttpSettings,
        fields: str,
        blocked_codes: Collection[str],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = Http(NAME, base, http, transport=transport)
        self._query = f"?fields={quote(fields, safe=',')}" if fields else ""
        self._blocked_codes = frozenset(blocked_codes)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The client that the job's settings describe."""
        job = settings.user_cache_updater
        return cls(
            job.user_read_api_url,
            http=settings.http,
            fields=job.user_read_url_fields,
            blocked_codes=job.user_read_api_error,
        )

    @operation(NAME, "read")
    def read(self, user_id: str) -> Profile:
        """The user with this id, judged by the answer's status and its body.

        Raises NotReady for one that the service does not know, TransientError for an answer that is not the user
        service's, InvalidEvent for an id that is none, and for 408, 429, 3xx and 5xx what `Http.call` raises.
        """
        response = self._http.send("GET", f"/{segment(user_id)}{self._query}")
        if not 400 <= response.status_code < 500 or response.status_code in (408, 429):
            self._http.check(response)
        answer = self._answer(response)
        code = answer["responseCode"]
        user = member(answer, "result", "response")
        if response.is_success and code.upper() == "OK" and isinstance(user, dict) and user:
            return Profile(fields=user)
        if code in self._blocked_codes and member(answer, "params", "err") == _BLOCKED:
            return Profile(blocked=True)
        raise NotReady(f"the user service has no such user (status {response.status_code})")

    def ping(self) -> None:
        """Raise DependencyDown unless the service answers."""
        self._http.ping()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _answer(self, response: httpx.Response) -> dict[str, Any]:
        if response.is_success:
            self._http.check(response)
        try:
            answer = json_of(response)
        except ValueError:
            answer = None
        if not isinstance(member(answer, "responseCode"), str):
            raise TransientError(
                f"what answers {response.status_code} is not the user service (no responseCode): "
                "check LERN_USER_CACHE_UPDATER__USER_READ_API_URL",
                NAME,
            )
        return dict(answer)
