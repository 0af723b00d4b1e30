"""The search service: whether a course is live. See docs/jobs/activity_aggregate_updater.md, "Failure"."""

import time
from collections.abc import Callable
from typing import Self

import httpx

from lern_tasks.catalogue import ProgressJob
from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http, member
from lern_tasks.connections.ttl_cache import TtlCache
from lern_tasks.errors import NotReady
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings


class SearchClient:
    """`status_expiry`: seconds that a status is remembered (`activity.collection.status.cache.expiry`)."""

    def __init__(
        self,
        base: str,
        *,
        http: HttpSettings,
        status_expiry: float = 3600.0,
        call: str = "search",
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = Http("search", base, http, transport=transport)
        self._statuses = TtlCache(status_expiry, clock)
        # Jobs may have addresses of their own: one's outage is not the other's.
        self._operation = call

    @classmethod
    def from_settings(cls, settings: Settings, job: ProgressJob = "activity_aggregate_updater") -> Self:
        """The client that the settings of `job` describe."""
        own = settings.progress(job)
        return cls(
            own.service_search_basepath,
            http=settings.http,
            status_expiry=own.activity_collection_status_cache_expiry,
            call=f"search for {job}",
        )

    def collection_status(self, course_id: str) -> str:
        """The status of a published or retired course: `Live`, `Unlisted` or `Retired`.

        Raises NotReady when the search does not find it, and what `Http.call` raises.
        """
        return self._statuses.get(course_id, lambda: self._ask(course_id))

    def ping(self) -> None:
        """Raise DependencyDown unless the service answers."""
        self._http.ping()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _ask(self, course_id: str) -> str:
        filters = {"objectType": "Collection", "identifier": course_id, "status": ["Live", "Unlisted", "Retired"]}
        body = {"request": {"filters": filters, "fields": ["status"]}}
        with operation("search", self._operation):
            result = self._http.result(self._http.call("POST", "/v3/search", body=body))
        content = result.get("content")
        first = content[0] if isinstance(content, list) and content else None
        status = member(first, "status")
        if not result.get("count") or not isinstance(status, str) or not status:
            raise NotReady(f"the search knows no published or retired collection {course_id}")
        return status
