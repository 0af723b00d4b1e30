"""The user service: what is asked, and what a blocked or unknown account gives."""

import pytest

from lern_tasks.errors import LernError, RefusedByService, TransientError
from lern_tasks.jobs.certificates.clients.user_service import PRE_PROCESSOR_FLAGS, UserAccount, UserClient
from tests.harness.answers import HTTP, Answers, ok

BASE = "http://platform.example/svc"


def users(answers: Answers, flags: str = "") -> UserClient:
    return UserClient(BASE, "/private/user/v1/read", http=HTTP, flags=flags, transport=answers)


def test_user_for_the_pre_processor_has_the_bare_query() -> None:
    answers = ok({"result": {"response": {"firstName": "Asha"}}})
    assert users(answers, PRE_PROCESSOR_FLAGS).read("u/1") == UserAccount(fields={"firstName": "Asha"})
    raw = answers.requests[0].url.raw_path
    assert raw == (b"/svc/private/user/v1/read/u%2F1?organisations,roles,locations,declarations,externalIds")


def test_user_for_the_notifier_has_no_query() -> None:
    answers = ok({"result": {"response": {}}})
    assert users(answers).read("u1") == UserAccount()
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


@pytest.mark.parametrize("document", [{}, [], "up", {"result": None}])
def test_json_that_is_no_answer_of_the_service_is_asked_for_again(document: object) -> None:
    with pytest.raises(TransientError):
        users(ok(document)).read("u1")


def test_answer_without_a_user_is_an_empty_user() -> None:
    assert users(ok({"result": {"response": None}})).read("u1") == UserAccount()


def test_a_printed_user_shows_nothing_of_the_person() -> None:
    assert "Asha" not in repr(UserAccount(fields={"firstName": "Asha"}))
