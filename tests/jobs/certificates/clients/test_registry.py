from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lern_tasks.demo.platform.registry import Registry
from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, RefusedByService, TransientError, UnknownOutcome
from lern_tasks.jobs.certificates.clients.registry import RegistryClient
from lern_tasks.settings.shared import HttpSettings
from tests.harness.answers import HTTP, Answers, ok

ENTITY = "TrainingCertificate"
BODY: dict[str, Any] = {
    "certificateLabel": "Course Merit",
    "recipient": {"id": "u-42", "name": "Asha Rao"},
    "training": {"id": "do_9001", "name": "Fractions 101", "type": "Course", "batchId": "0139"},
    "issuer": {"url": "https://council.example/", "name": "State Council", "kid": "1-k"},
}
RECIPIENT = {"recipient.id": {"eq": "u-42"}}


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as started:
        yield started


@pytest.fixture
def client(registry: Registry) -> Iterator[RegistryClient]:
    # Half a second: the silent registry of a test answers never.
    opened = RegistryClient(registry.api_url, ENTITY, http=HttpSettings(read_timeout=0.5))
    yield opened
    opened.close()


def test_create_find_delete(registry: Registry, client: RegistryClient) -> None:
    osid = client.create(BODY)
    assert [each.osid for each in registry.entities()] == [osid]
    (found,) = client.find(RECIPIENT)
    assert found["osid"] == osid
    assert client.delete(osid) == "deleted"
    assert client.find(RECIPIENT) == []
    assert client.create(BODY) != osid


def test_the_body_goes_out_unwrapped_and_without_a_key(registry: Registry, client: RegistryClient) -> None:
    client.create(BODY)
    (request,) = registry.requests_to("POST", ENTITY)
    assert request.body == BODY
    assert "authorization" not in request.headers


def test_the_api_key_goes_as_it_is_with_a_create_only(registry: Registry) -> None:
    registry.switches.api_key = "raw key"
    client = RegistryClient(registry.api_url, ENTITY, " raw key ", http=HTTP)
    osid = client.create(BODY)
    client.find(RECIPIENT)
    client.delete(osid)
    client.close()
    assert [r.headers.get("authorization") for r in registry.requests] == ["raw key", None, None]
    stranger = RegistryClient(registry.api_url, ENTITY, "other", http=HTTP)
    with pytest.raises(RefusedByService, match="401"):
        stranger.create(BODY)
    stranger.close()


@pytest.mark.parametrize(
    ("mode", "expected", "stored"),
    [
        ("400", RefusedByService, 0),
        ("404", RefusedByService, 0),
        ("429", TransientError, 0),
        ("500", UnknownOutcome, 0),
        ("503", UnknownOutcome, 0),
        ("timeout", UnknownOutcome, 0),
        ("drop", UnknownOutcome, 0),
        ("timeout_after_commit", UnknownOutcome, 1),
        ("drop_after_commit", UnknownOutcome, 1),
        ("500_after_commit", UnknownOutcome, 1),
        ("no_osid", UnknownOutcome, 1),
        ("blank_osid", UnknownOutcome, 1),
        ("transaction_id", UnknownOutcome, 1),
    ],
)
def test_create_when_it_goes_wrong(
    registry: Registry, client: RegistryClient, mode: str, expected: type[LernError], stored: int
) -> None:
    registry.switches.create = mode
    with pytest.raises(LernError) as raised:
        client.create(BODY)
    assert type(raised.value) is expected
    assert len(registry.entities()) == stored
    assert len(registry.requests_to("POST", ENTITY)) == 1


def test_201_is_a_success_too(registry: Registry, client: RegistryClient) -> None:
    registry.switches.create = "201"
    assert client.create(BODY) == registry.entities()[0].osid


def test_what_the_schema_does_not_allow_is_refused_without_quoting(client: RegistryClient) -> None:
    with pytest.raises(RefusedByService) as raised:
        client.create({**BODY, "recipient": {"name": "Asha Rao"}})
    assert "400" in str(raised.value)
    assert "Asha" not in str(raised.value)


def test_a_registry_that_is_away_has_certainly_not_created(registry: Registry, client: RegistryClient) -> None:
    client.ping()
    registry.stop()
    with pytest.raises(DependencyDown):
        client.ping()
    for call in (lambda: client.create(BODY), lambda: client.find({}), client.key_id, lambda: client.delete("1-x")):
        with pytest.raises(DependencyDown) as raised:
            call()
        assert raised.value.name == "registry"
    registry.start()
    assert client.create(BODY)


@pytest.mark.parametrize("mode", ["array", "page"])
def test_search_answers_of_both_releases(registry: Registry, client: RegistryClient, mode: str) -> None:
    registry.switches.update({"search": mode, "key_search": mode})
    osid = client.create(BODY)
    assert [each["osid"] for each in client.find(RECIPIENT)] == [osid]
    assert client.key_id() == registry.entities("PublicKey")[0].osid


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("blank_result", TransientError),
        ("timeout", TransientError),
        ("drop", TransientError),
        ("500", TransientError),
        ("503", DependencyDown),
        ("404", RefusedByService),
    ],
)
def test_search_when_it_goes_wrong(
    registry: Registry, client: RegistryClient, mode: str, expected: type[LernError]
) -> None:
    registry.switches.update({"search": mode, "key_search": mode})
    for call in (lambda: client.find(RECIPIENT), client.key_id):
        with pytest.raises(LernError) as raised:
            call()
        assert type(raised.value) is expected


def test_an_empty_search_is_an_empty_list(registry: Registry, client: RegistryClient) -> None:
    registry.switches.search = "empty"
    client.create(BODY)
    assert client.find(RECIPIENT) == []


def test_the_key_id_is_remembered_and_an_empty_answer_is_not(registry: Registry, client: RegistryClient) -> None:
    registry.switches.key_search = "empty"
    for _ in range(2):
        with pytest.raises(RefusedByService, match="no public key"):
            client.key_id()
    registry.switches.reset()
    first = client.key_id()
    assert client.key_id() == first
    requests = registry.requests_to("POST", "PublicKey/search")
    assert len(requests) == 3
    assert requests[0].body == {"filters": {}}


@pytest.mark.parametrize("answer", [[{"osid": " "}], [{}], [{"osid": 3}], {"data": ["x"]}])
def test_a_key_without_an_id_is_none(answer: object) -> None:
    with pytest.raises(RefusedByService):
        RegistryClient("http://r.example", ENTITY, http=HTTP, transport=ok(answer)).key_id()


@pytest.mark.parametrize(
    ("release", "expected"), [("1", "failed"), ("2", "gone")], ids=["1.x answers 500", "2 answers 404"]
)
def test_delete_of_what_is_not_there(registry: Registry, client: RegistryClient, release: str, expected: str) -> None:
    registry.switches.release = release
    osid = client.create(BODY)
    assert client.delete(osid) == "deleted"
    assert client.delete(osid) == expected


@pytest.mark.parametrize(("mode", "expected"), [("400", "failed"), ("403", "failed"), ("404", "gone")])
def test_delete_refused(registry: Registry, client: RegistryClient, mode: str, expected: str) -> None:
    registry.switches.delete = mode
    assert client.delete("1-x") == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("429", TransientError), ("timeout", TransientError), ("drop", TransientError), ("503", DependencyDown)],
)
def test_delete_to_be_repeated(
    registry: Registry, client: RegistryClient, mode: str, expected: type[LernError]
) -> None:
    registry.switches.delete = mode
    with pytest.raises(LernError) as raised:
        client.delete("1-x")
    assert type(raised.value) is expected


def test_a_blank_id_never_deletes_the_collection() -> None:
    answers = ok({})
    with pytest.raises(InvalidEvent):
        RegistryClient("http://r.example", ENTITY, http=HTTP, transport=answers).delete(" ")
    assert not answers.requests


def test_success_that_is_not_json_may_have_created() -> None:
    client = RegistryClient("http://r.example", ENTITY, http=HTTP, transport=Answers(httpx.Response(200, text="ok")))
    with pytest.raises(UnknownOutcome):
        client.create(BODY)


def test_a_key_with_a_line_end_is_a_settings_error() -> None:
    with pytest.raises(LernError, match="rcApiKey"):
        RegistryClient("http://r.example", ENTITY, "a\nb", http=HTTP)
