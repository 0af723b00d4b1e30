from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lern_tasks.demo.platform.old_registry import OldRegistry
from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, RefusedByService, TransientError
from lern_tasks.jobs.certificates.clients.old_registry import OldRegistryClient
from lern_tasks.jobs.certificates.clients.signing import SigningClient
from lern_tasks.settings.shared import HttpSettings
from tests.harness.answers import HTTP, Answers, ok

BASE = "http://platform.example/svc"


def body(certificate_id: str = "c2", **changes: Any) -> dict[str, Any]:
    request = {
        "id": certificate_id,
        "jsonUrl": "https://dev.sunbirded.org/certs/0139/c2.json",
        "jsonData": {"id": "x", "printUri": "data:"},
        "accessCode": "A2B3C4",
        "recipientName": "Asha Rao",
        "recipientId": "u-42",
        "related": {"batchId": "0139", "courseId": "do_1", "type": "Course Merit"},
    }
    return {"request": {**request, **changes}}


@pytest.fixture
def old() -> Iterator[OldRegistry]:
    with OldRegistry() as started:
        yield started


@pytest.fixture
def client(old: OldRegistry) -> Iterator[OldRegistryClient]:
    # Half a second: the silent registry of a test answers never.
    opened = OldRegistryClient(old.registry_url, http=HttpSettings(read_timeout=0.5))
    yield opened
    opened.close()


def test_a_certificate_is_registered_once(old: OldRegistry, client: OldRegistryClient) -> None:
    assert client.add(body())
    assert not client.add(body(accessCode="B2B3C4"))
    assert old.rows["c2"]["accesscode"] == "A2B3C4"
    (first, _) = old.requests_to("POST", "/certreg/certs/v2/registry/add")
    assert first.body == body()
    client.ping()


def test_a_reissue_is_registered_once_and_takes_the_old_one_away(old: OldRegistry, client: OldRegistryClient) -> None:
    assert client.add(body("c1"))
    assert client.add(body("c2", oldId="c1"))
    assert not client.add(body("c2", oldId="c1"))
    assert old.rows.keys() == {"c2"}


@pytest.mark.parametrize("mode", ["timeout_after_commit", "drop_after_commit", "500_after_commit"])
def test_an_answer_that_was_lost_is_made_good_by_adding_again(
    old: OldRegistry, client: OldRegistryClient, mode: str
) -> None:
    old.switches.update({"add": mode, "add_times": 1})
    with pytest.raises(TransientError):
        client.add(body())
    assert not client.add(body())
    assert old.rows.keys() == {"c2"}


def test_what_is_refused_and_not_there_is_refused(old: OldRegistry, client: OldRegistryClient) -> None:
    with pytest.raises(RefusedByService, match="CLIENT_ERROR"):
        client.add(body(related={}))
    assert old.rows == {}


def test_a_certificate_of_somebody_else_is_not_replaced(old: OldRegistry, client: OldRegistryClient) -> None:
    client.add(body("c1", recipientId="u-43"))
    with pytest.raises(RefusedByService):
        client.add(body("c2", oldId="c1"))
    assert old.rows.keys() == {"c1"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.ConnectError("refused"), DependencyDown),
        (httpx.Response(503), DependencyDown),
        (httpx.ReadTimeout("slow"), TransientError),
        (httpx.Response(500), TransientError),
        (httpx.Response(201), TransientError),
        (httpx.Response(404), RefusedByService),
    ],
)
def test_only_200_is_registered(answer: httpx.Response | Exception, expected: type[LernError]) -> None:
    client = OldRegistryClient(BASE, http=HTTP, transport=Answers(answer))
    with pytest.raises(LernError) as raised:
        client.add(body())
    assert type(raised.value) is expected


def test_a_registry_that_cannot_say_whether_it_has_the_id_is_asked_later(
    old: OldRegistry, client: OldRegistryClient
) -> None:
    client.add(body())
    old.switches.update({"read": "500", "read_times": 1})
    with pytest.raises(TransientError):
        client.add(body())
    assert not client.add(body())


def test_a_signature(old: OldRegistry) -> None:
    client = SigningClient(old.signing_url, http=HTTP)
    value = client.sign("7", {"a": 1})
    client.ping()
    client.close()
    assert value
    (request,) = old.requests_to("POST", "/enc/sign/7")
    assert request.body == {"entity": {"a": 1}}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (ok({}), TransientError),
        (ok({"signatureValue": ""}), TransientError),
        (ok({"signatureValue": "abc"}, 500), TransientError),
        (ok({"signatureValue": "abc"}, 404), RefusedByService),
        (ok({"signatureValue": "abc"}, 503), DependencyDown),
    ],
)
def test_a_failed_signature_is_never_taken(answers: Answers, expected: type[LernError]) -> None:
    with pytest.raises(LernError) as raised:
        SigningClient(BASE, http=HTTP, transport=answers).sign("7", {})
    assert type(raised.value) is expected


def test_a_key_is_one_segment_of_the_path() -> None:
    answers = ok({"signatureValue": "abc"})
    SigningClient(BASE, http=HTTP, transport=answers).sign("../7", {})
    assert answers.sent[1].endswith("/sign/..%2F7")
    with pytest.raises(InvalidEvent):
        SigningClient(BASE, http=HTTP, transport=answers).sign("..", {})
