"""What the lines about records say: whom, where the chain began, why. And one spelling of all lines."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from lern_tasks.delivery.record import Coordinates, Record
from lern_tasks.delivery.subject import Subject, log_fields, subject_of
from lern_tasks.errors import LernError, LockBusy, RefusedByService
from tests.delivery.test_task import all_done, ctx, raising  # noqa: F401 (a fixture)
from tests.harness.fake_resources import FakeResources
from tests.harness.kafka_message import record, run

ROOT = Path(__file__).resolve().parents[2]
EVENT = json.dumps({"edata": {"userId": "u1", "courseId": "do_1", "batchId": "b1"}})
WHOLE = Subject(users=("u1",), course="c1", batch="b1")
CHAINED: dict[str, Any] = {
    "partition": None,
    "offset": None,
    "origin": Coordinates(topic="dev.coursebatch.job.request", partition=1, offset=17),
}


@pytest.mark.parametrize(
    ("error", "event", "level"),
    [(LockBusy("another worker is busy"), "message_done", "info"), (RefusedByService("404"), "record_dead", "error")],
)
def test_what_failed_says_whom_it_is_about_where_its_chain_began_and_why(
    ctx: FakeResources,  # noqa: F811
    error: LernError,
    event: str,
    level: str,
) -> None:
    with capture_logs() as logs:
        run(ctx, raising(error), record(EVENT, **CHAINED))
    (line,) = [line for line in logs if line["event"] == event]
    assert (line["enrolment"], line["origin"]) == ("u1:do_1:b1", "dev.coursebatch.job.request:1:17")
    assert line["log_level"] == level
    assert str(error) in str(line.get("because", line.get("error")))
    assert error.code in str(line)


def test_a_message_has_one_line_at_info(ctx: FakeResources) -> None:  # noqa: F811
    for values in (["v"], ["other"], ["v", "v"]):
        with capture_logs() as logs:
            run(ctx, all_done, *map(record, values))
        assert [line["log_level"] for line in logs].count("info") == 1


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        (
            {"edata": {"userId": "u1", "courseId": "c1", "batchId": "b1"}},
            WHOLE,
        ),
        ({"userId": "u1", "courseId": "c1", "batchId": "b1"}, WHOLE),
        (
            {
                "edata": {
                    "userId": "u1",
                    "related": {"courseId": "c1", "batchId": "b1"},
                    "data": [{"recipientId": "u1"}],
                }
            },
            WHOLE,
        ),
        ({"user_id": "u1", "course_id": "c1", "batch_id": "b1"}, WHOLE),
        ({"edata": {"userIds": ["u1", "u2"], "courseId": "c1"}}, Subject(users=("u1", "u2"), course="c1")),
        ({"edata": {"identifier": "do_1", "mimeType": "application/x"}}, Subject(course="do_1")),
        ({"object": {"type": "User", "id": "u1"}, "edata": {"state": "Update"}}, Subject(users=("u1",))),
    ],
)
def test_the_events_of_all_jobs_are_understood(event: dict[str, Any], subject: Subject) -> None:
    assert subject_of(json.dumps(event)) == subject


def test_only_what_looks_like_an_id_is_logged() -> None:
    event = {"edata": {"userIds": ["Asha Rao", "u1\x1b[31m", "u2", "Asha"], "courseId": "do_1", "batchId": "b1"}}
    assert log_fields(Record(value=json.dumps(event), topic="t", partition=0, offset=3)) == {
        "enrolment": "u2:do_1:b1",
        "topic": "t",
        "origin": "t:0:3",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["edata", "data", "userId", "related"]), inner),
)


@given(JSON.map(json.dumps) | st.text() | st.just("[" * 100_000))
@settings(max_examples=30)
def test_nothing_that_is_asked_about_fails(value: str) -> None:
    log_fields(Record(value=value, topic="t"))


def _events() -> set[str]:
    """The names of all lines, as the code writes them."""
    return {
        name.value
        for folder in ("lern_tasks", "bridge")
        for path in (ROOT / folder).rglob("*.py")
        if "_log = logger(" in path.read_text()
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.args
        if call.func.attr in {"debug", "info", "warning", "error", "exception", "log", "_log"}
        for name in call.args[:2]
        if isinstance(name, ast.Constant) and isinstance(name.value, str)
    }


def test_lines_have_one_spelling_and_those_that_the_documents_name_exist() -> None:
    events = _events()
    assert len(events) > 30
    assert [event for event in events if not re.fullmatch(r"[a-z]+(_[a-z]+)*", event)] == []
    table = (ROOT / "docs" / "operations.md").read_text().partition("## Logs")[2].partition("## ")[0]
    named = {name for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert len(named) > 10
    assert named - events <= {"celery_config"}
