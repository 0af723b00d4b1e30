import socket

import httpx
import pytest

from lern_tasks.connections.http import Http
from lern_tasks.demo.platform.platform_api import PlatformApi
from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, RefusedByService, TransientError
from lern_tasks.jobs.certificates.clients import svg_templates as templates
from lern_tasks.jobs.certificates.clients.svg_templates import TemplateClient
from lern_tasks.jobs.certificates.clients.template_hosts import TemplateHosts, place_of
from tests.harness.answers import HTTP, Answers

URL = "https://cdn.example/content/merit.svg?v=2"
SVG = "<svg>ü</svg>"


def client(answer: httpx.Response | Exception, *hosts: str, expiry: float = 300.0) -> tuple[TemplateClient, Answers]:
    answers = Answers(answer)
    return TemplateClient(TemplateHosts(listed=frozenset(hosts)), http=HTTP, expiry=expiry, transport=answers), answers


def test_a_template_is_downloaded_once() -> None:
    opened, answers = client(httpx.Response(200, content=SVG.encode()))
    assert [opened.read(URL), opened.read(URL)] == [SVG, SVG]
    assert answers.sent == ("GET", URL)


def test_a_template_is_downloaded_again_after_a_while() -> None:
    opened, answers = client(httpx.Response(200, content=SVG.encode()), expiry=0.0)
    opened.read(URL)
    opened.read(URL)
    assert len(answers.requests) == 2


def test_no_more_than_fifteen_are_remembered() -> None:
    opened, answers = client(httpx.Response(200, content=SVG.encode()))
    for number in range(templates._KEPT + 1):
        opened.read(f"{URL}&n={number}")
    opened.read(f"{URL}&n=0")
    assert len(answers.requests) == templates._KEPT + 2


def test_a_byte_order_mark_is_no_part_of_it() -> None:
    assert client(httpx.Response(200, content=SVG.encode("utf-8-sig")))[0].read(URL) == SVG


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(404), RefusedByService),
        (httpx.Response(302, headers={"Location": "http://internal.example/x.svg"}), RefusedByService),
        (httpx.Response(200, content=b"<html>not found</html>"), RefusedByService),
        (httpx.Response(200, content=b"<svg>\xff</svg>"), RefusedByService),
        (httpx.Response(200, content=b"a text with <svg in it"), RefusedByService),
        (httpx.Response(200, content=b"<svg>" + b" " * HTTP.max_answer_bytes + b"</svg>"), RefusedByService),
        (httpx.Response(500), TransientError),
        (httpx.ReadTimeout("slow"), TransientError),
    ],
)
def test_what_is_no_template(answer: httpx.Response | Exception, expected: type[LernError]) -> None:
    opened, answers = client(answer, "cdn.example")
    with pytest.raises(LernError) as raised:
        opened.read(URL)
    assert type(raised.value) is expected
    assert len(answers.requests) == 1


@pytest.mark.parametrize("url", ["", "merit.svg", "ftp://cdn.example/a.svg", "http://[", "/container/a.svg"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(InvalidEvent):
        client(httpx.Response(200))[0].read(url)


@pytest.mark.parametrize("answer", [httpx.ConnectError("refused"), httpx.Response(503)])
def test_our_own_storage_may_be_away_another_host_is_the_templates_fault(answer: httpx.Response | Exception) -> None:
    opened, answers = client(answer, "cdn.example")
    opened.ping()
    with pytest.raises(DependencyDown) as raised:
        opened.read(URL)
    assert raised.value.name == "templates"
    with pytest.raises(DependencyDown):
        opened.ping()
    answers.answer = httpx.Response(404)
    opened.ping()
    with pytest.raises(LernError) as spent:
        client(answer, "other.example")[0].read(URL)
    assert type(spent.value) is TransientError


def test_the_platforms_template() -> None:
    with PlatformApi() as platform:
        platform.add(templates={"merit.svg": SVG})
        url = platform.template_url("merit.svg")
        own = place_of(url)
        assert own is not None
        assert TemplateClient(TemplateHosts(own=frozenset({own})), http=HTTP).read(url) == SVG
        # The same machine under another port is another service, by whatever name.
        for name in ("127.0.0.1", "localhost"):
            with pytest.raises(InvalidEvent, match="own machine"):
                TemplateClient(TemplateHosts(own=frozenset({("127.0.0.1", 1)})), http=HTTP).read(
                    url.replace("127.0.0.1", name)
                )


def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["203.0.113.7", "127.0.0.1"])
    asked: list[str] = []

    def resolved(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    connected: list[str] = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(Http, "_proxy", lambda _: None)
    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(socket, "create_connection", connect)
    opened = TemplateClient(TemplateHosts(), http=HTTP)
    with pytest.raises(TransientError):
        opened.read("http://rebound.example/a.svg")
    assert (asked, connected) == (["rebound.example"], ["203.0.113.7"])
    with pytest.raises(InvalidEvent, match="own machine"):
        opened.read("http://rebound.example/a.svg")
    assert connected == ["203.0.113.7"]


def test_a_template_in_the_container_of_certificates_is_read_with_its_keys() -> None:
    answers = Answers(httpx.Response(403))
    kept = {URL: SVG.encode()}
    opened = TemplateClient(TemplateHosts(), http=HTTP, kept=kept.get, transport=answers)
    assert opened.read(URL) == SVG
    assert not answers.requests
    with pytest.raises(RefusedByService):
        opened.read(f"{URL}&other")
