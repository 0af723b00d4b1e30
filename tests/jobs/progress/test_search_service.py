"""The search service: whether a course is live, and for how long that is remembered."""

from collections.abc import Callable

import httpx
import pytest

from lern_tasks.errors import DependencyDown, NotReady
from lern_tasks.jobs.progress.search_service import SearchClient
from tests.harness.answers import HTTP, Answers, ok

BASE = "http://platform.example/svc"


def live(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"responseCode": "OK", "result": {"count": 1, "content": [{"status": "Retired"}]}})


def search(answers: Answers, clock: Callable[[], float] = lambda: 0.0) -> SearchClient:
    return SearchClient(BASE, http=HTTP, status_expiry=10, transport=answers, clock=clock)


def test_collection_status_asks_as_documented() -> None:
    answers = Answers(live)
    assert search(answers).collection_status("do_1") == "Retired"
    assert answers.sent == ("POST", f"{BASE}/v3/search")
    assert answers.body == {
        "request": {
            "filters": {"objectType": "Collection", "identifier": "do_1", "status": ["Live", "Unlisted", "Retired"]},
            "fields": ["status"],
        }
    }


def test_collection_status_is_remembered_for_its_time_and_course() -> None:
    now = 0.0
    answers = Answers(live)
    client = search(answers, lambda: now)
    client.collection_status("do_1")
    now = 9.9
    client.collection_status("do_1")
    assert len(answers.requests) == 1
    client.collection_status("do_2")
    assert len(answers.requests) == 2
    now = 10.0
    client.collection_status("do_1")
    assert len(answers.requests) == 3


@pytest.mark.parametrize(
    "result",
    [{"count": 0}, {}, {"count": 1, "content": []}, {"count": 1, "content": [{}]}, {"count": 1, "content": "x"}],
)
def test_a_course_that_search_does_not_know_may_come_and_is_asked_for_again(result: object) -> None:
    answers = ok({"responseCode": "OK", "result": result})
    client = search(answers)
    with pytest.raises(NotReady, match="do_1"):
        client.collection_status("do_1")
    answers.answer = live
    assert client.collection_status("do_1") == "Retired"


def test_search_away() -> None:
    client = search(Answers(httpx.Response(503)))
    with pytest.raises(DependencyDown) as raised:
        client.collection_status("do_1")
    assert raised.value.name == "search"
    with pytest.raises(DependencyDown):
        client.ping()
    client.close()
