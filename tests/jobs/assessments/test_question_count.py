"""The content service, asked for the number of questions."""

from typing import Any

import httpx
import pytest

from lern_tasks.errors import DependencyDown, InvalidEvent, LernError, TransientError
from lern_tasks.jobs.assessments.question_count import NAME, QuestionCountClient
from lern_tasks.settings import load
from tests.harness.answers import HTTP, Answers, ok

URL = "http://platform.example/content/v4/read/"


def client(answers: Answers, url: str = URL) -> QuestionCountClient:
    return QuestionCountClient(url, http=HTTP, transport=answers)


def content(total: Any = ..., code: str = "OK") -> dict[str, Any]:
    return {"responseCode": code, "result": {"content": {} if total is ... else {"totalQuestions": total}}}


@pytest.mark.parametrize("url", [URL, URL.rstrip("/")])
def test_the_id_is_put_after_the_url(url: str) -> None:
    answers = ok(content(5))
    assert client(answers, url).ask("do_1") == 5
    assert answers.sent == ("GET", f"{URL}do_1")


def test_an_id_is_one_segment_of_the_path() -> None:
    answers = ok(content(5))
    client(answers).ask("do/1?x")
    assert answers.requests[0].url.raw_path == b"/content/v4/read/do%2F1%3Fx"
    with pytest.raises(InvalidEvent):
        client(answers).ask("..")


@pytest.mark.parametrize(("total", "number"), [(5, 5), (5.0, 5), ("5", 5), (0, 0), (None, None), (..., None)])
@pytest.mark.parametrize("code", ["OK", "ok"])
def test_answers(total: Any, number: float | None, code: str) -> None:
    assert client(ok(content(total, code))).ask("do_1") == number


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (ok(content(5, "SERVER_ERROR")), TransientError),
        (ok({"result": {"content": {"totalQuestions": 5}}}), TransientError),
        (ok([]), TransientError),
        (ok(content("five")), TransientError),
        (ok(content(True)), TransientError),
        (ok(content(5), status=404), TransientError),
        (ok(content(5), status=400), TransientError),
        (ok(content(5), status=500), TransientError),
        (Answers(httpx.Response(200, text="<html>")), TransientError),
        (Answers(httpx.ReadTimeout("late")), TransientError),
        (ok(content(5), status=503), DependencyDown),
        (ok(content(5), status=302), DependencyDown),
        (Answers(httpx.ConnectError("refused")), DependencyDown),
    ],
)
def test_what_is_no_answer(answers: Answers, error: type[LernError]) -> None:
    with pytest.raises(error) as raised:
        client(answers).ask("do_1")
    assert getattr(raised.value, "dependency", None) == NAME or getattr(raised.value, "name", None) == NAME


def test_a_service_that_is_away_gives_no_sign_of_life() -> None:
    away = client(Answers(httpx.Response(503)))
    with pytest.raises(DependencyDown):
        away.ping()
    away.close()
    client(Answers(httpx.Response(404))).ping()


def test_the_address_is_the_documented_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LERN_ASSESSMENT_AGGREGATOR__CONTENT_READ_API", "http://content/v3/read/")
    made = QuestionCountClient.from_settings(load())
    assert made._http._base == "http://content/v3/read"
    made.close()
