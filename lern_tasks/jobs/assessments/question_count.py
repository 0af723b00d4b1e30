"""The content service, asked for how many questions a content has.

See docs/jobs/assessment_aggregator.md, "Rules".
"""

from typing import Self

import httpx

from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http, member, segment
from lern_tasks.errors import RefusedByService, TransientError
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings
from lern_tasks.sunbird.numbers import number_of

NAME = "question_count"
"""The dependency's name in errors: its address is not the one that certificates read contents from."""


class QuestionCountClient:
    """`read_api` is the documented `content.read.api`: the URL that the content's id is put after."""

    def __init__(self, read_api: str, *, http: HttpSettings, transport: httpx.BaseTransport | None = None) -> None:
        self._http = Http(NAME, read_api, http, transport=transport)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The client that the assessment aggregator's settings describe."""
        return cls(settings.assessment_aggregator.content_read_api, http=settings.http)

    def ask(self, content_id: str) -> float | None:
        """The content's `totalQuestions`; None when the service knows the content and no number of questions.

        Raises TransientError for an answer that is not OK (a content just published is not known everywhere at once),
        and what `Http.call` raises.
        """
        try:
            return self._read(content_id)
        except RefusedByService as error:
            raise TransientError(f"no number of questions: {error}", NAME) from None

    def ping(self) -> None:
        """Raise DependencyDown unless the service answers."""
        self._http.ping()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @operation(NAME, "read")
    def _read(self, content_id: str) -> float | None:
        answer = self._http.call("GET", f"/{segment(content_id)}")
        code = member(answer, "responseCode")
        if not isinstance(code, str) or code.upper() != "OK":
            raise TransientError(f"{NAME} answers without responseCode OK", NAME)
        total = member(answer, "result", "content", "totalQuestions")
        number = number_of(total)
        if total is not None and number is None:
            raise TransientError(f"{NAME} answers a totalQuestions that is no number", NAME)
        return number
