"""A network for the clients' tests: answers as the test says, and keeps the requests."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from lern_tasks.settings.shared import HttpSettings

HTTP = HttpSettings(connect_timeout=1, read_timeout=1)


class Answers(httpx.MockTransport):
    """Answers with `answer`: a response, an exception to raise, or a function of the request."""

    def __init__(self, answer: "httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]") -> None:
        self.requests: list[httpx.Request] = []
        self.answer = answer
        super().__init__(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, httpx.Response):
            return httpx.Response(
                self.answer.status_code, headers=dict(self.answer.headers), content=self.answer.content
            )
        return self.answer(request)

    @property
    def sent(self) -> tuple[str, str]:
        """Method and address of the one request."""
        (request,) = self.requests
        return request.method, str(request.url)

    @property
    def body(self) -> Any:
        """The JSON of the one request."""
        (request,) = self.requests
        return json.loads(request.content)


def ok(document: Any, status: int = 200) -> Answers:
    """Answers every request with this JSON."""
    return Answers(httpx.Response(status, json=document))
