"""The framework service: which categories a framework has. See docs/jobs/user_cache_updater.md, "Framework fields"."""

import time
from collections.abc import Callable
from typing import Self

import httpx

from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http, member, segment
from lern_tasks.connections.ttl_cache import TtlCache
from lern_tasks.errors import RefusedByService
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings


class FrameworkClient:
    """`read_path` is the documented `framework_read_api`; `expiry`: seconds that an answer is remembered."""

    def __init__(
        self,
        base: str,
        read_path: str,
        *,
        http: HttpSettings,
        expiry: float,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = Http("frameworks", base, http, transport=transport)
        self._read_path = f"/{read_path.strip('/')}"
        self._codes = TtlCache(expiry, clock)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The client that the job's settings describe."""
        job = settings.user_cache_updater
        return cls(
            job.service_taxonomy_basepath,
            job.framework_read_api,
            http=settings.http,
            expiry=job.framework_cache_expiry,
        )

    def categories(self, framework_id: str) -> list[str]:
        """The codes of the framework's categories; none for a framework that the service does not know.

        Only answers with categories are remembered. Raises DependencyDown or TransientError as `Http.call` does: a
        service that is away says nothing about categories.
        """
        codes = self._codes.get(framework_id, lambda: ",".join(self._ask(framework_id)))
        return codes.split(",") if codes else []

    def ping(self) -> None:
        """Raise DependencyDown unless the service answers."""
        self._http.ping()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @operation("frameworks", "read")
    def _ask(self, framework_id: str) -> list[str]:
        try:
            answer = self._http.call("GET", f"{self._read_path}/{segment(framework_id)}")
        except RefusedByService:
            return []
        listed = member(self._http.result(answer), "framework", "categories")
        codes = [member(category, "code") for category in listed] if isinstance(listed, list) else []
        return [code for code in codes if isinstance(code, str) and code]
