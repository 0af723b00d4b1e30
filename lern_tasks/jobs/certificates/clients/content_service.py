"""The content service: names and types of content. See docs/jobs/collection_cert_pre_processor.md, "Rules"."""

from typing import Self

import httpx

from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http, member, segment
from lern_tasks.errors import RefusedByService, TransientError
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings


class ContentClient:
    """`read_path` is the documented `content_read_api` (`/content/v4/read`)."""

    def __init__(
        self, base: str, read_path: str, *, http: HttpSettings, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._http = Http("content", base, http, transport=transport)
        self._read_path = f"/{read_path.strip('/')}"

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The client that the pre-processor's settings describe."""
        job = settings.collection_cert_pre_processor
        return cls(job.service_content_basepath, job.content_read_api, http=settings.http)

    @operation("content", "read")
    def name(self, course_id: str) -> str:
        """The course's name, empty when it has none. Raises what `Http.call` and `Http.result` raise."""
        answer = self._http.call("GET", f"{self._read_path}/{segment(course_id)}?fields=name")
        return _text(self._http.result(answer), "name")

    @operation("content", "read")
    def content_type(self, content_id: str) -> str:
        """The content's type (`SelfAssess`), empty when the service does not know it.

        Raises DependencyDown or TransientError as `Http.call` does; a refusal is no error here.
        """
        try:
            answer = self._http.call("GET", f"{self._read_path}/{segment(content_id)}")
        except RefusedByService:
            return ""
        code = member(answer, "responseCode")
        if not isinstance(code, str):
            raise TransientError("content answers JSON without responseCode", "content")
        return _text(self._http.result(answer), "contentType") if code.upper() == "OK" else ""

    def ping(self) -> None:
        """Raise DependencyDown unless the service answers."""
        self._http.ping()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _text(result: object, name: str) -> str:
    value = member(result, "content", name)
    return value if isinstance(value, str) else ""
