import httpx
import pytest

from lern_tasks.errors import DependencyDown, RefusedByService
from lern_tasks.jobs.certificates.clients.old_registry_index import SearchIndexClient
from tests.harness.answers import HTTP, Answers, ok


def index(answers: Answers, addresses: str = "es1:9200, es2:9200") -> SearchIndexClient:
    return SearchIndexClient(addresses, http=HTTP, transport=answers)


@pytest.mark.parametrize("status", [200, 404])
def test_index_document_deleted_or_not_there(status: int) -> None:
    answers = ok({}, status)
    index(answers).delete("c/1")
    assert answers.sent == ("DELETE", "http://es1:9200/certs/_doc/c%2F1")


def test_index_tries_the_next_node() -> None:
    def second_only(request: httpx.Request) -> httpx.Response:
        if request.url.host == "es1":
            raise httpx.ConnectError("refused")
        return httpx.Response(200)

    answers = Answers(second_only)
    client = index(answers)
    client.delete("c1")
    assert [request.url.host for request in answers.requests] == ["es1", "es2"]
    client.ping()
    client.close()


def test_index_away() -> None:
    client = index(Answers(httpx.ConnectError("refused")))
    with pytest.raises(DependencyDown) as raised:
        client.delete("c1")
    assert raised.value.name == "search_index"
    with pytest.raises(DependencyDown):
        client.ping()


def test_index_refuses() -> None:
    with pytest.raises(RefusedByService):
        index(ok({}, 403)).delete("c1")


def test_no_index_at_all() -> None:
    answers = ok({})
    index(answers, "").delete("c1")
    assert not answers.requests


def test_index_with_a_scheme() -> None:
    answers = ok({})
    index(answers, "https://es:9243").delete("c1")
    assert answers.sent[1] == "https://es:9243/certs/_doc/c1"
