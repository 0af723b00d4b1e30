import gzip
import os
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from email.utils import formatdate

import httpx
import pytest

from lern_tasks.connections.http import Http, member, segment
from lern_tasks.connections.json_values import DEEPEST
from lern_tasks.errors import (
    DependencyDown,
    InvalidEvent,
    LernError,
    RefusedByService,
    SettingsError,
    TransientError,
    UnknownOutcome,
)
from lern_tasks.settings.shared import HttpSettings
from tests.harness.answers import HTTP, Answers, ok

NOT_JSON = httpx.Response(200, text="<html>")

TABLE: list[tuple[httpx.Response | Exception, type[LernError], type[LernError]]] = [
    # answer, error of a read, error of a write
    (httpx.ConnectError("refused"), DependencyDown, DependencyDown),
    (httpx.ConnectTimeout("slow"), DependencyDown, DependencyDown),
    (httpx.ProxyError("proxy"), DependencyDown, DependencyDown),
    (httpx.ReadTimeout("slow"), TransientError, UnknownOutcome),
    (httpx.WriteTimeout("slow"), TransientError, UnknownOutcome),
    (httpx.ReadError("reset"), TransientError, UnknownOutcome),
    (httpx.RemoteProtocolError("cut"), TransientError, UnknownOutcome),
    (httpx.DecodingError("gzip"), TransientError, UnknownOutcome),
    (NOT_JSON, TransientError, UnknownOutcome),
    (httpx.Response(204), TransientError, UnknownOutcome),
    *(
        (httpx.Response(200, text="[" * depth + "]" * depth), TransientError, UnknownOutcome)
        for depth in (DEEPEST + 1, 5_000, 200_000)
    ),
    (httpx.Response(200, text=f'"{"x" * HTTP.max_answer_bytes}"'), TransientError, UnknownOutcome),
    (httpx.Response(302, headers={"Location": "http://other.example/"}), DependencyDown, DependencyDown),
    (httpx.Response(400), RefusedByService, RefusedByService),
    (httpx.Response(401), RefusedByService, RefusedByService),
    (httpx.Response(404), RefusedByService, RefusedByService),
    (httpx.Response(408), TransientError, UnknownOutcome),
    (httpx.Response(429), TransientError, TransientError),
    (httpx.Response(500), TransientError, UnknownOutcome),
    (httpx.Response(501), TransientError, UnknownOutcome),
    (httpx.Response(502), DependencyDown, UnknownOutcome),
    (httpx.Response(503), DependencyDown, UnknownOutcome),
    (httpx.Response(504), DependencyDown, UnknownOutcome),
]


def service(answers: Answers, base: str = "http://svc.example/api/") -> Http:
    return Http("users", base, HTTP, transport=answers)


@pytest.mark.parametrize(("answer", "read", "write"), TABLE, ids=lambda value: repr(value)[:40])
def test_what_an_answer_means(
    answer: httpx.Response | Exception, read: type[LernError], write: type[LernError]
) -> None:
    for is_write, expected in ((False, read), (True, write)):
        answers = Answers(answer)
        with pytest.raises(LernError) as raised:
            service(answers).call("GET", "/x", write=is_write)
        assert type(raised.value) is expected
        assert "users" in str(raised.value)
        if isinstance(raised.value, DependencyDown):
            assert raised.value.name == "users"
        if isinstance(raised.value, TransientError):
            assert raised.value.dependency == "users"
        assert len(answers.requests) == 1


def test_json_of_any_success_comes_back_and_the_base_keeps_its_path() -> None:
    answers = ok({"a": [1]}, status=201)
    assert service(answers).call("POST", "/x/y?fields=name", body={"né": None}) == {"a": [1]}
    assert answers.sent == ("POST", "http://svc.example/api/x/y?fields=name")
    assert answers.body == {"né": None}
    assert answers.requests[0].headers["Content-Type"] == "application/json"


def retry_after(header: str) -> float | None:
    with pytest.raises(TransientError) as raised:
        service(Answers(httpx.Response(429, headers={"Retry-After": header}))).call("GET", "/")
    return raised.value.retry_after


def test_retry_after_in_both_forms() -> None:
    assert retry_after("7") == 7.0
    assert retry_after(formatdate(0, usegmt=True)) == 0.0
    # An hour ahead, less the time that this test takes on a busy machine.
    ahead = retry_after(formatdate(time.time() + 3600, usegmt=True))
    assert ahead is not None
    assert 3500 <= ahead <= 3600


@pytest.mark.parametrize("header", ["", "soon", "-1", "Mon, 99 Foo 2024"])
def test_retry_after_that_says_nothing(header: str) -> None:
    assert retry_after(header) is None


def test_a_refusal_names_codes_and_fields_and_quotes_nobody() -> None:
    answer = {
        "responseCode": "CLIENT_ERROR",
        "params": {
            "err": "UOS_1",
            "status": "Asha Rao",
            "errmsg": "#/TrainingCertificate/recipient: required key [id] not found for Asha Rao +91 98765 43210",
        },
    }
    with pytest.raises(RefusedByService) as raised:
        service(ok(answer, status=400)).call("GET", "/")
    assert str(raised.value) == (
        "users refuses with 400 (UOS_1, CLIENT_ERROR, #/TrainingCertificate/recipient, required key [id])"
    )


@pytest.mark.parametrize("body", ["", "[]", "null", '{"params": 3, "responseCode": ["x"]}', "{"])
def test_a_refusal_without_a_usable_body(body: str) -> None:
    with pytest.raises(RefusedByService, match=r"^users refuses with 403$"):
        service(Answers(httpx.Response(403, text=body))).call("GET", "/")


@pytest.mark.parametrize(
    ("answer", "up"),
    [
        (httpx.Response(200), True),
        (httpx.Response(404), True),
        (httpx.Response(500), True),
        (httpx.Response(502), False),
        (httpx.Response(503), False),
        (httpx.Response(504), False),
        (httpx.ConnectError("refused"), False),
        (httpx.ReadTimeout("slow"), False),
    ],
)
def test_ping(answer: httpx.Response | Exception, up: bool) -> None:
    if up:
        service(Answers(answer)).ping()
        return
    with pytest.raises(DependencyDown):
        service(Answers(answer)).ping()


@pytest.mark.parametrize("body", [{"name": "\ud800"}, {"score": float("nan")}])
def test_what_json_cannot_hold_is_the_events_fault(body: dict[str, object]) -> None:
    with pytest.raises(InvalidEvent):
        service(ok({})).call("POST", "/", body=body)


@pytest.mark.parametrize("base", ["", "localhost:9000", "ftp://x", "http://", "/registry"])
def test_a_base_that_is_no_url_is_a_settings_error(base: str) -> None:
    with pytest.raises(SettingsError, match="users"):
        Http("users", base, HTTP)


@pytest.mark.parametrize(
    ("host", "proxied"),
    [
        ("localhost", False),
        ("127.0.0.1", False),
        ("[::1]", False),
        ("a.localhost", False),
        ("inside.example", False),
        ("svc.example", True),
    ],
)
def test_the_environments_proxy_is_never_used_for_this_machine(
    host: str, proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert Http("users", f"http://{host}:80/x", HTTP)._proxy() == ("http://proxy.example:3128" if proxied else None)


def test_a_child_process_opens_its_own_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    http = service(ok({}))
    assert http._opened is None
    http.call("GET", "/")
    first = http._opened
    http.call("GET", "/")
    assert http._opened is first
    monkeypatch.setattr(os, "getpid", lambda: -1)
    http.call("GET", "/")
    assert http._opened is not first


@pytest.fixture
def silent_server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_real_connections_have_time_limits(silent_server: int) -> None:
    settings = HttpSettings(connect_timeout=0.2, read_timeout=0.2)
    http = Http("users", f"http://127.0.0.1:{silent_server}", settings)
    with pytest.raises(TransientError, match="ReadTimeout"):
        http.call("GET", "/")
    http.close()


@contextmanager
def served(*pieces: bytes, again: bytes = b"") -> Iterator[str]:
    """A server that sends these pieces, then `again` without end."""
    over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            for piece in pieces:
                connection.sendall(piece)
            while again and not over.wait(0.01):
                connection.sendall(again)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize("begun", [HEAD + b"X-Slow: ", HEAD + b'\r\n"'], ids=["head", "body"])
def test_an_answer_that_comes_byte_by_byte_has_an_end(begun: bytes) -> None:
    settings = HttpSettings(read_timeout=30, answer_timeout=0.3)
    with (
        served(begun, again=b"x") as base,
        closing(Http("users", base, settings)) as http,
        pytest.raises(TransientError, match="ReadTimeout"),
    ):
        http.call("GET", "/")


def test_an_answer_without_end_is_cut_off() -> None:
    settings = HttpSettings(max_answer_bytes=1_000_000)
    with (
        served(HEAD + b"\r\n", again=b"x" * 65_536) as base,
        closing(Http("users", base, settings)) as http,
        pytest.raises(UnknownOutcome, match="MAX_ANSWER_BYTES"),
    ):
        http.call("POST", "/", write=True)


def test_a_packed_answer_is_unpacked_up_to_the_limit() -> None:
    packed = gzip.compress(b"0" * 200_000_000, compresslevel=1)
    settings = HttpSettings(max_answer_bytes=1_000_000)
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with served(head, packed) as base, closing(Http("users", base, settings)) as http:
        tracemalloc.start()
        try:
            assert len(http.send("GET", "/").content) == 1_000_001
            assert tracemalloc.get_traced_memory()[1] < 64_000_000
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd"])
def test_encodings_that_were_not_asked_for_are_not_unpacked(encoding: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": encoding}, stream=httpx.ByteStream(b"{}"))

    with pytest.raises(TransientError, match="DecodingError"):
        service(Answers(answer)).call("GET", "/")


def test_a_packed_answer_is_read() -> None:
    body = gzip.compress(b'{"a": 1}')
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    with served(head, body) as base, closing(Http("users", base, HTTP)) as http:
        assert http.call("GET", "/") == {"a": 1}


def test_real_connection_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    http = Http("users", f"http://127.0.0.1:{port}", HTTP)
    with pytest.raises(DependencyDown):
        http.call("POST", "/", body={}, write=True)
    http.close()


def test_no_such_host(monkeypatch: pytest.MonkeyPatch) -> None:
    http = Http("users", "http://no-such-host.invalid", HTTP)
    monkeypatch.setattr(Http, "_proxy", lambda _: None)  # no proxy answers instead of the resolver
    with pytest.raises(DependencyDown):
        http.call("GET", "/")
    http.close()


@pytest.mark.parametrize(
    ("text", "expected"), [("do_1", "do_1"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("1-é ü", "1-%C3%A9%20%C3%BC")]
)
def test_segment(text: str, expected: str) -> None:
    assert segment(text) == expected


@pytest.mark.parametrize("text", ["", " ", ".", "..", "\ud800"])
def test_an_id_that_would_name_another_resource(text: str) -> None:
    with pytest.raises(InvalidEvent):
        segment(text)


def test_member() -> None:
    assert member({"a": {"b": 1}}, "a", "b") == 1
    assert member({"a": []}, "a", "b") is None
    assert member(None, "a") is None
