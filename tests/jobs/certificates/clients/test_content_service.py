"""The content service: names and types of contents."""

import httpx
import pytest

from lern_tasks.errors import DependencyDown, RefusedByService, TransientError
from lern_tasks.jobs.certificates.clients.content_service import ContentClient
from tests.harness.answers import HTTP, Answers, ok

BASE = "http://platform.example/svc"


def content(answers: Answers) -> ContentClient:
    return ContentClient(BASE, "/content/v4/read", http=HTTP, transport=answers)


def test_course_name() -> None:
    answers = ok({"responseCode": "OK", "result": {"content": {"name": "Fractions 101"}}})
    assert content(answers).name("do_1") == "Fractions 101"
    assert answers.sent == ("GET", f"{BASE}/content/v4/read/do_1?fields=name")


@pytest.mark.parametrize("document", [{}, [], "up", {"result": ""}])
def test_json_that_is_no_answer_of_the_service_is_asked_for_again(document: object) -> None:
    for question in (content(ok(document)).name, content(ok(document)).content_type):
        with pytest.raises(TransientError):
            question("do_1")


@pytest.mark.parametrize("document", [{"result": {}}, {"result": {"content": {"name": None}}}])
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
    ],
)
def test_content_type_that_nobody_knows_is_empty(document: object, status: int) -> None:
    assert content(ok(document, status)).content_type("do_1") == ""


def test_content_type_while_the_service_is_away_is_no_answer() -> None:
    with pytest.raises(DependencyDown):
        content(Answers(httpx.Response(502))).content_type("do_1")
    with pytest.raises(TransientError):
        content(Answers(httpx.Response(500))).content_type("do_1")
