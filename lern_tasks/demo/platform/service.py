"""What the embedded HTTP services share: switches, recorded requests, outages. See docs/architecture.md, "Embedded"."""

import abc
import dataclasses
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, Self, TypeVar

from lern_tasks.demo.platform.http_server import HttpServer, NoReply, Reply, Request, json_reply
from lern_tasks.demo.platform.switches import Switches
from lern_tasks.demo.servers.parent import end_quietly_on_signals, serve_until_stopped, watch_parent

S = TypeVar("S", bound=Switches)
# Enough for every test; keeps a demo that runs for days from growing.
_KEPT_REQUESTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """A request as it arrived: `body` is the JSON value, or text if it is not JSON; `at` in seconds since 1970.

    `status` is None while the request is under way, and for good if it never got an answer.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    at: float
    status: int | None = None


class Service(abc.ABC, Generic[S]):
    """An HTTP service on 127.0.0.1, run on threads of this process, controlled in process or over HTTP.

    Over HTTP: `GET`, `PUT` (a JSON object; `refuse_seconds` in it closes the port for so long) and `DELETE /_switches`;
    `GET` and `DELETE /_requests`; `GET /_health`. Control requests are not recorded, delayed or made to fail.

    Attributes:
        switches: what the service does wrong; may be set while it runs.
    """

    def __init__(self, switches: S, *, port: int = 0) -> None:
        self.switches = switches
        self._server = HttpServer(self._handle, port)
        self._guard = threading.Lock()
        self._requests: dict[int, RecordedRequest] = {}
        self._arrivals = 0
        self._stopped = threading.Event()

    @property
    def url(self) -> str:
        """The address without a path; known after the first start and the same after each restart."""
        return self._server.url

    @property
    def port(self) -> int:
        """The port; 0 before the first start, if none was asked for."""
        return self._server.port

    @property
    def requests(self) -> list[RecordedRequest]:
        """What has arrived, oldest first: the last 10,000."""
        with self._guard:
            return list(self._requests.values())

    def requests_to(self, method: str, path_end: str) -> list[RecordedRequest]:
        """The recorded requests of a method whose path ends so."""
        return [each for each in self.requests if each.method == method and each.path.endswith(path_end)]

    def forget_requests(self) -> None:
        """Empty the record."""
        with self._guard:
            self._requests.clear()

    def start(self) -> None:
        """Serve. Raises OSError if the port is taken."""
        self._stopped.clear()
        self._server.start()

    def stop(self) -> None:
        """Refuse connections from now on, and cut the open ones. State is kept; `start` serves it on the same port."""
        self._stopped.set()
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def refuse_for(self, seconds: float) -> None:
        """Refuse connections for so many seconds, then serve again on the same port. Returns at once."""
        threading.Thread(target=self._refuse, args=(seconds,), name="refuse", daemon=True).start()

    def _refuse(self, seconds: float) -> None:
        self._server.stop()
        if not self._stopped.wait(seconds):
            self._server.start()

    @abc.abstractmethod
    def answer(self, request: Request) -> Reply | NoReply:
        """The service itself."""

    def control(self, request: Request) -> Reply | None:
        """Answer a control request (its path starts with `/_`) of this service; None if it has no such path."""
        return {
            ("GET", "/_health"): self._health,
            ("GET", "/_switches"): self._show_switches,
            ("PUT", "/_switches"): self._set_switches,
            ("DELETE", "/_switches"): self._reset_switches,
            ("GET", "/_requests"): self._show_requests,
            ("DELETE", "/_requests"): self._forget_requests,
        }.get((request.method, request.path), _none)(request)

    def no_reply(self) -> NoReply:
        """What a client sees as a timeout."""
        return NoReply(hold=self.switches.hold)

    def _handle(self, request: Request) -> Reply | NoReply:
        if request.path.startswith("/_"):
            try:
                return self.control(request) or json_reply({"error": f"no such path: {request.path}"}, 404)
            except ValueError as error:
                return json_reply({"error": str(error)}, 400)
        arrival = self._record(request)
        if self.switches.latency:
            self._stopped.wait(self.switches.latency)
        answer = self.answer(request)
        if isinstance(answer, Reply):
            self._complete(arrival, answer.status)
        return answer

    def _record(self, request: Request) -> int:
        recorded = RecordedRequest(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            body=json_or_text(request),
            at=time.time(),
        )
        with self._guard:
            self._arrivals += 1
            self._requests[self._arrivals] = recorded
            if len(self._requests) > _KEPT_REQUESTS:
                del self._requests[next(iter(self._requests))]
            return self._arrivals

    def _complete(self, arrival: int, status: int) -> None:
        with self._guard:
            recorded = self._requests.get(arrival)
            if recorded is not None:
                self._requests[arrival] = dataclasses.replace(recorded, status=status)

    def _health(self, _request: Request) -> Reply:
        return json_reply({"status": "up"})

    def _show_switches(self, _request: Request) -> Reply:
        return json_reply(self.switches.as_dict())

    def _set_switches(self, request: Request) -> Reply:
        changes = json_object(request)
        seconds = changes.pop("refuse_seconds", None)
        if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, (int, float))):
            raise ValueError("refuse_seconds must be a number")
        self.switches.update(changes)
        reply = self._show_switches(request)
        return reply if seconds is None else dataclasses.replace(reply, after=lambda: self.refuse_for(seconds))

    def _reset_switches(self, request: Request) -> Reply:
        self.switches.reset()
        return self._show_switches(request)

    def _show_requests(self, _request: Request) -> Reply:
        return json_reply([dataclasses.asdict(each) for each in self.requests])

    def _forget_requests(self, _request: Request) -> Reply:
        self.forget_requests()
        return json_reply({})


def _none(_request: Request) -> None:
    return None


def json_or_text(request: Request) -> Any:
    """The body as JSON, or as text if it is not JSON; None if there is none."""
    if not request.body:
        return None
    try:
        return request.json()
    except ValueError:
        return request.body.decode("utf-8", "replace")


def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises ValueError if it is anything else."""
    value = request.json()
    if not isinstance(value, dict):
        raise ValueError("the body must be a JSON object")
    return value


def run_service(service: "Service[Any]", parent_pid: int | None) -> NoReturn:
    """Serve in a process of its own: report `{"url": ...}`, end with the parent or on a signal.

    Raises:
        SystemExit: always, when it ends.
    """
    watch_parent(parent_pid)
    end_quietly_on_signals()
    service.start()
    serve_until_stopped({"url": service.url}, service.stop)
