"""The user service as the user cache asks it, and the framework service."""

from typing import Any

import httpx
import pytest

from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, NotReady, TransientError
from lern_tasks.jobs.users.framework_service import FrameworkClient
from lern_tasks.jobs.users.profile_service import Profile, UserProfileClient
from tests.harness.answers import HTTP, Answers, ok
from tests.harness.processes import settings_of

BASE = "http://platform.example/learner/private/user/v1/read"
BLOCKED = {"responseCode": "CLIENT_ERROR", "params": {"err": "UOS_USRRED0006"}}


def client(answers: Answers, base: str = f"{BASE}/", fields: str = "locations,organisations") -> UserProfileClient:
    return UserProfileClient(base, http=HTTP, fields=fields, blocked_codes=["CLIENT_ERROR"], transport=answers)


def user(code: str = "OK", **fields: Any) -> Answers:
    return ok({"responseCode": code, "result": {"response": fields}})


@pytest.mark.parametrize("base", [BASE, f"{BASE}/"])
def test_the_id_is_a_segment_of_its_own_with_or_without_the_slash(base: str) -> None:
    answers = user(firstName="Asha")
    assert client(answers, base).read("u/1") == Profile(fields={"firstName": "Asha"})
    assert answers.requests[0].url.raw_path == (b"/learner/private/user/v1/read/u%2F1?fields=locations,organisations")


def test_no_fields_is_no_query() -> None:
    answers = user("ok", firstName="Asha")
    client(answers, fields="").read("u1")
    assert answers.sent == ("GET", f"{BASE}/u1")


def test_a_blocked_account() -> None:
    for status in (200, 400):
        assert client(ok(BLOCKED, status)).read("u1") == Profile(blocked=True)


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"responseCode": "RESOURCE_NOT_FOUND", "params": {"err": "UOS_USRRED0006"}}, 404),
        ({"responseCode": "CLIENT_ERROR", "params": {"err": "UOS_OTHER"}}, 400),
        ({"responseCode": "CLIENT_ERROR", "params": None}, 400),
        ({"responseCode": "OK"}, 200),
        ({"responseCode": "OK", "result": {}}, 200),
        ({"responseCode": "OK", "result": {"response": {}}}, 200),
        ({"responseCode": "OK", "result": {"response": {"firstName": "Asha"}}}, 404),
    ],
)
def test_a_user_that_the_service_does_not_know_may_come(document: object, status: int) -> None:
    with pytest.raises(NotReady) as caught:
        client(ok(document, status)).read("u1")
    assert "Asha" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, content=b""), TransientError),
        (httpx.Response(200, content=b"<html>"), TransientError),
        (httpx.Response(200, json=[]), TransientError),
        (httpx.Response(200, json={"responseCode": 5}), TransientError),
        (httpx.Response(404, json={"message": "no Route matched"}), TransientError),
        (httpx.Response(401, content=b""), TransientError),
        (httpx.Response(500, json=BLOCKED), TransientError),
        (httpx.Response(500, json={"responseCode": "OK", "result": {"response": {"firstName": "A"}}}), TransientError),
        (httpx.Response(429, json=BLOCKED), TransientError),
        (httpx.Response(408), TransientError),
        (httpx.Response(503, json=BLOCKED), DependencyDown),
        (httpx.Response(302), DependencyDown),
        (httpx.ReadTimeout("late"), TransientError),
        (httpx.ConnectError("refused"), DependencyDown),
    ],
)
def test_what_says_nothing_about_the_user_is_asked_again(
    answer: httpx.Response | Exception, expected: type[LernError]
) -> None:
    with pytest.raises(expected) as caught:
        client(Answers(answer)).read("u1")
    name = caught.value.name if isinstance(caught.value, DependencyDown) else caught.value.dependency  # type: ignore[attr-defined]
    assert name == "user_profiles"


def test_what_is_no_id_is_not_asked() -> None:
    answers = user(firstName="Asha")
    with pytest.raises(InvalidEvent):
        client(answers).read("..")
    assert not answers.requests


def test_a_sign_of_life() -> None:
    client(ok({}, 404)).ping()
    away = client(Answers(httpx.Response(502)))
    with pytest.raises(DependencyDown):
        away.ping()
    away.close()


def test_settings_say_where_and_what_to_ask() -> None:
    settings = settings_of(
        {
            "LERN_USER_CACHE_UPDATER__USER_READ_API_URL": "http://gateway.example/read",
            "LERN_USER_CACHE_UPDATER__USER_READ_URL_FIELDS": "locations",
            "LERN_USER_CACHE_UPDATER__USER_READ_API_ERROR": '["BAD"]',
            "LERN_USER_CACHE_UPDATER__SERVICE_TAXONOMY_BASEPATH": "http://taxonomy.example",
            "LERN_USER_CACHE_UPDATER__FRAMEWORK_READ_API": "/api/framework/v1/read/",
        }
    )
    made = UserProfileClient.from_settings(settings)
    answers = ok({**BLOCKED, "responseCode": "BAD"}, 400)
    made._http._transport = answers
    assert made.read("u1").blocked
    assert answers.sent == ("GET", "http://gateway.example/read/u1?fields=locations")
    frameworks = FrameworkClient.from_settings(settings)
    answers = ok({"result": {"framework": {"categories": [{"code": "board"}]}}})
    frameworks._http._transport = answers
    assert frameworks.categories("NCF") == ["board"]
    assert answers.sent == ("GET", "http://taxonomy.example/api/framework/v1/read/NCF")


def test_a_printed_profile_shows_nothing_of_the_person() -> None:
    assert "Asha" not in repr(Profile(fields={"firstName": "Asha"}))


def categories(*codes: Any) -> httpx.Response:
    return httpx.Response(200, json={"responseCode": "OK", "result": {"framework": {"categories": list(codes)}}})


def frameworks(answers: Answers, clock: Any = lambda: 0.0) -> FrameworkClient:
    return FrameworkClient(BASE, "/framework/v1/read", http=HTTP, expiry=10, transport=answers, clock=clock)


def test_categories_are_remembered_for_their_time() -> None:
    now = 0.0
    answers = Answers(categories({"code": "board"}, {"code": "gradeLevel"}, {"code": ""}, {"name": "x"}, "y"))
    client = frameworks(answers, lambda: now)
    assert client.categories("NCF") == ["board", "gradeLevel"]
    answers.answer = categories({"code": "skill"})
    now = 9.9
    assert client.categories("NCF") == ["board", "gradeLevel"]
    now = 10.0
    assert client.categories("NCF") == ["skill"]
    assert len(answers.requests) == 2


@pytest.mark.parametrize("answer", [httpx.Response(404), httpx.Response(200, json={"result": {}}), categories()])
def test_a_framework_without_categories_is_asked_for_again(answer: httpx.Response) -> None:
    answers = Answers(answer)
    client = frameworks(answers)
    assert client.categories("NCF") == []
    answers.answer = categories({"code": "board"})
    assert client.categories("NCF") == ["board"]


@pytest.mark.parametrize(("status", "expected"), [(500, TransientError), (503, DependencyDown)])
def test_a_framework_service_that_fails_says_nothing(status: int, expected: type[LernError]) -> None:
    client = frameworks(Answers(httpx.Response(status)))
    with pytest.raises(expected):
        client.categories("NCF")
    if status == 503:
        with pytest.raises(DependencyDown):
            client.ping()
    client.close()
