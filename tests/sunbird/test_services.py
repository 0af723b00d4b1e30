from collections.abc import Callable

import httpx
import pytest

from lern_tasks.connections.ttl_cache import TtlCache
from lern_tasks.errors import DependencyDown, LernError, NotReady, RefusedByService, TransientError
from lern_tasks.sunbird.content_service import ContentClient
from lern_tasks.sunbird.search_service import SearchClient
from lern_tasks.sunbird.user_service import PRE_PROCESSOR_FLAGS, User, UserClient
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


def test_the_cache_keeps_no_empty_text_and_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lern_tasks.connections.ttl_cache._MOST", 2)
    cache = TtlCache(10, lambda: 0.0)
    assert cache.get("a", lambda: "") == ""
    for key in ("a", "b", "c"):
        assert cache.get(key, lambda: "old") == "old"
    assert cache.get("c", lambda: "new") == "old"
    assert cache.get("a", lambda: "new") == "new"


def content(answers: Answers) -> ContentClient:
    return ContentClient(BASE, "/content/v4/read", http=HTTP, transport=answers)


def test_course_name() -> None:
    answers = ok({"responseCode": "OK", "result": {"content": {"name": "Fractions 101"}}})
    assert content(answers).name("do_1") == "Fractions 101"
    assert answers.sent == ("GET", f"{BASE}/content/v4/read/do_1?fields=name")


@pytest.mark.parametrize("document", [{}, {"result": {}}, {"result": {"content": {"name": None}}}, []])
def test_course_without_a_name(document: object) -> None:
    assert content(ok(document)).name("do_1") == ""


def test_course_that_does_not_exist() -> None:
    with pytest.raises(RefusedByService):
        content(ok({}, status=404)).name("do_1")


def test_content_type() -> None:
    answers = ok({"responseCode": "ok", "result": {"content": {"contentType": "SelfAssess"}}}, status=201)
    assert content(answers).content_type("do_1") == "SelfAssess"
    assert answers.sent == ("GET", f"{BASE}/content/v4/read/do_1")


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"responseCode": "RESOURCE_NOT_FOUND"}, 404),
        ({"responseCode": "SERVER_ERROR", "result": {"content": {"contentType": "SelfAssess"}}}, 200),
        ({"responseCode": "OK", "result": {"content": {}}}, 200),
        ({}, 200),
    ],
)
def test_content_type_that_nobody_knows_is_empty(document: object, status: int) -> None:
    assert content(ok(document, status)).content_type("do_1") == ""


def test_content_type_while_the_service_is_away_is_no_answer() -> None:
    with pytest.raises(DependencyDown):
        content(Answers(httpx.Response(502))).content_type("do_1")
    with pytest.raises(TransientError):
        content(Answers(httpx.Response(500))).content_type("do_1")


def users(answers: Answers, flags: str = "") -> UserClient:
    return UserClient(BASE, "/private/user/v1/read", http=HTTP, flags=flags, transport=answers)


def test_user_for_the_pre_processor_has_the_bare_query() -> None:
    answers = ok({"result": {"response": {"firstName": "Asha"}}})
    assert users(answers, PRE_PROCESSOR_FLAGS).read("u/1") == User(fields={"firstName": "Asha"})
    raw = answers.requests[0].url.raw_path
    assert raw == (b"/svc/private/user/v1/read/u%2F1?organisations,roles,locations,declarations,externalIds")


def test_user_for_the_notifier_has_no_query() -> None:
    answers = ok({"result": {"response": {}}})
    assert users(answers).read("u1") == User()
    assert answers.sent == ("GET", f"{BASE}/private/user/v1/read/u1")


@pytest.mark.parametrize("code", ["UOS_USRRED0006", "USER_ACCOUNT_BLOCKED"])
def test_blocked_user(code: str) -> None:
    found = users(ok({"params": {"err": code}}, status=400)).read("u1")
    assert found.blocked
    assert found.fields == {}


@pytest.mark.parametrize(
    ("status", "expected"), [(400, RefusedByService), (404, RefusedByService), (500, TransientError)]
)
def test_other_refusals_are_no_blocked_user(status: int, expected: type[LernError]) -> None:
    code = "UOS_OTHER" if status == 400 else "USER_ACCOUNT_BLOCKED"
    with pytest.raises(expected):
        users(ok({"params": {"err": code}}, status=status)).read("u1")


def test_answer_without_a_user_is_an_empty_user() -> None:
    assert users(ok({"result": {"response": None}})).read("u1") == User()


def test_a_printed_user_shows_nothing_of_the_person() -> None:
    assert "Asha" not in repr(User(fields={"firstName": "Asha"}))
