"""A small HTTP/1.1 server for the embedded services, with answers that a real server gives only in an outage.

See docs/architecture.md, section "Embedded".
"""

import json
import logging
import select
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import unquote, urlsplit

_LOG = logging.getLogger(__name__)
# Bounds how long a stop takes; twenty look-ups a second cost nothing.
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request: `path` is decoded and without query, header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: if it is not JSON, or not UTF-8.
        """
        return json.loads(self.body.decode("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer; `after` runs once the answer has been written."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    after: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReply:
    """No answer: the connection stays open and silent for `hold` seconds (or until the client leaves), then closes."""

    hold: float = 0.0


Application = Callable[[Request], Reply | NoReply]


def json_reply(value: Any, status: int = 200) -> Reply:
    """An answer with a JSON body."""
    return Reply(status=status, body=json.dumps(value).encode("ascii"))


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    protocol_version = "HTTP/1.1"
    # An answer of several segments would otherwise wait 40 ms for the client's acknowledgement.
    disable_nagle_algorithm = True
    # Headers and body leave together.
    wbufsize = -1

    def handle_expect_100(self) -> bool:
        """Tell a client that asks first (curl, with a large body) to go on, at once."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def _serve(self) -> None:
        request = self._read_request()
        if request is None:
            self._write(Reply(status=411, body=b"this server needs a Content-Length", content_type="text/plain"))
            self.close_connection = True
            return
        answer = self._ask(request)
        if isinstance(answer, NoReply):
            self._hold(answer.hold)
            self.close_connection = True
            return
        self._write(answer)
        if answer.after is not None:
            answer.after()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - names set by http.server

    def _read_request(self) -> Request | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit():
            return None
        target = urlsplit(self.path)
        return Request(
            method=self.command,
            path=unquote(target.path),
            query=target.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
        )

    def _ask(self, request: Request) -> Reply | NoReply:
        try:
            return self.server.application(request)
        except Exception:
            _LOG.exception("%s %s failed", request.method, request.path)
            return Reply(status=500, body=b"internal error: see this server's log", content_type="text/plain")

    def _hold(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        for _ in range(round(seconds / _POLL_SECONDS)):
            # Readable here means that the client closed: it has no reason to send while it waits for an answer.
            if self.server.stopping.wait(_POLL_SECONDS) or poll.poll(0):
                return

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's parameter
        """Write no access log: a demo's terminal is for its results."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # The default of 5 refuses connections of a worker pool that starts.
    request_queue_size = 128

    def __init__(self, port: int, application: Application) -> None:
        self.application = application
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own looks up the host's name, which takes seconds where the resolver is slow.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that leaves in the middle is no error of this server.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def sever(self) -> None:
        """Close the connections that clients keep open: a stopped server answers nothing."""
        for connection in tuple(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                _LOG.debug("a connection was closed before it could be severed")


@dataclass(slots=True)
class HttpServer:
    """Serves an application on 127.0.0.1 from threads of this process; may be stopped and started on the same port.

    `port` 0 lets the system choose one at the first start.
    """

    application: Application
    port: int = 0
    _running: tuple[_Server, threading.Thread] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The address without a path, for example `http://127.0.0.1:41233`."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        server = _Server(self.port, self.application)
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), name="http", daemon=True)
        thread.start()
        self._running = (server, thread)

    def stop(self) -> None:
        """Refuse connections and close the open ones, answered or not. Does nothing when stopped."""
        if self._running is None:
            return
        (server, thread), self._running = self._running, None
        server.stopping.set()
        server.shutdown()
        server.server_close()
        server.sever()
        thread.join()
