"""The user service. See docs/jobs/collection_cert_pre_processor.md and collection_certificate_generator.md, "Rules"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from lern_tasks.catalogue import JobName
from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http, segment
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings

PRE_PROCESSOR_FLAGS = "organisations,roles,locations,declarations,externalIds"
"""The bare query of the pre-processor: parts of the user that criteria and additional properties may ask for."""

# A blocked account is 400 with one of these codes; the second is what older services say.
_BLOCKED = ("UOS_USRRED0006", "USER_ACCOUNT_BLOCKED")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccount:
    """An account as the service gives it; no fields when blocked or when the answer holds no user.

    `fields` holds personal data: never log it.
    """

    blocked: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)


class UserClient:
    """`read_path` is the documented `user_read_api`; `flags` a bare query without `=`, empty for none."""

    def __init__(
        self,
        base: str,
        read_path: str,
        *,
        http: HttpSettings,
        flags: str = "",
        call: str = "read",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = Http("users", base, http, transport=transport)
        self._read_path = f"/{read_path.strip('/')}"
        self._query = f"?{flags}" if flags else ""
        # Clients with other addresses or flags know nothing of each other's outages.
        self._operation = call

    @classmethod
    def from_settings(cls, settings: Settings, job: JobName = "collection_cert_pre_processor") -> Self:
        """The client of the pre-processor, or of what follows a certificate (the notifier), which asks for less."""
        if job == "collection_cert_pre_processor":
            criteria = settings.collection_cert_pre_processor
            return cls(
                criteria.service_learner_basepath,
                criteria.user_read_api,
                http=settings.http,
                flags=PRE_PROCESSOR_FLAGS,
            )
        generator = settings.collection_certificate_generator
        base, path = generator.service_learner_basepath, generator.user_read_api
        return cls(base, path, http=settings.http, call="read for notices")

    def read(self, user_id: str) -> UserAccount:
        """The user with this id. Raises what `Http.call` raises, but for a blocked account."""
        with operation("users", self._operation):
            response = self._http.send("GET", f"{self._read_path}/{segment(user_id)}{self._query}")
            if response.status_code == 400 and any(code in response.text for code in _BLOCKED):
                return UserAccount(blocked=True)
            found = self._http.result(self._http.parsed(response)).get("response")
        return UserAccount(fields=found if isinstance(found, dict) else {})

    def ping(self) -> None:
        """Raise DependencyDown unless the service answers."""
        self._http.ping()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
