"""AUDIT events of users."""

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.delivery.batch import Skipped
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.users.events import UserEvent, parse
from tests.harness.malformed import json_values

SAMPLE = Path(__file__).parents[2] / "samples" / "telemetry.audit" / "documented.json"
PARSED = UserEvent(
    user_id="u-100", producer="learner-service", sign_up="google", login_role=None, ets=1_700_000_000_000
)


def event(**changes: Any) -> str:
    """The documented event with these members replaced; None leaves one out."""
    document = json.loads(SAMPLE.read_text(encoding="utf-8")) | changes
    return json.dumps({name: value for name, value in document.items() if value is not None})


def context(**changes: Any) -> str:
    given = json.loads(SAMPLE.read_text(encoding="utf-8"))["context"] | changes
    return event(context={name: value for name, value in given.items() if value is not None})


def test_the_documented_event() -> None:
    assert parse(SAMPLE.read_text(encoding="utf-8")) == PARSED


@pytest.mark.parametrize("state", ["Create", "CREATED", "update", "Updated", "Delete", "DELETED"])
def test_states_that_count(state: str) -> None:
    assert parse(event(edata={"state": state})) == replace(PARSED, deleted=state.upper().startswith("DELETE"))


@pytest.mark.parametrize("eid", ["LOG", 5, None])
def test_the_kind_of_telemetry_is_not_looked_at(eid: Any) -> None:
    assert parse(event(eid=eid, mid=None, actor=None)) == PARSED


@pytest.mark.parametrize("kind", ["user", "USER", "User"])
def test_the_case_of_the_type_does_not_matter(kind: str) -> None:
    assert parse(event(object={"id": "u-100", "type": kind})) == PARSED


@pytest.mark.parametrize("subject", [None, {}, {"id": "u"}, {"id": "do_1", "type": "Content"}, {"type": 5}, "User", []])
def test_what_is_not_about_a_user_is_skipped(subject: Any) -> None:
    assert parse(event(object=subject, context="x")) == Skipped(reason="not about a user")


@pytest.mark.parametrize("data", [None, {}, {"state": None}, {"state": "Login"}, {"state": 5}, "Update", []])
def test_another_state_is_skipped_whatever_else_is_wrong(data: Any) -> None:
    assert parse(event(edata=data, object={"type": "User"}, context="x")) == Skipped(reason="another state")


@pytest.mark.parametrize("user_id", [None, "", " ", 5, ["u"], "u\0", "x" * 30_000])
def test_a_user_without_usable_id_is_invalid(user_id: Any) -> None:
    with pytest.raises(InvalidEvent, match=r"object\.id") as caught:
        parse(event(object={"id": user_id, "type": "User"}))
    assert caught.value.field == "object.id"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (event(context=[]), "context"),
        (event(context="x"), "context"),
        (context(pdata="learner-service"), "context.pdata"),
        (context(cdata={"id": "google", "type": "SignupType"}), "context.cdata"),
    ],
)
def test_a_context_of_another_form_is_invalid(text: str, field: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(text)
    assert caught.value.field == field


@pytest.mark.parametrize("value", [None, "", "not json", "[]", "null", "5"])
def test_what_is_no_json_object_is_invalid(value: str | None) -> None:
    with pytest.raises(InvalidEvent):
        parse(value)


@pytest.mark.parametrize("text", [event(context=None), event(context={}), context(pdata=None, cdata=None)])
def test_a_context_may_be_missing(text: str) -> None:
    found = parse(text)
    assert isinstance(found, UserEvent)
    assert (found.sign_up, found.login_role) == (None, None)
    assert found.producer in ("", "learner-service")


@pytest.mark.parametrize(("pid", "producer"), [("sunbird.app", "sunbird.app"), (5, ""), (None, "")])
def test_the_producer(pid: Any, producer: str) -> None:
    found = parse(context(pdata={"pid": pid}))
    assert isinstance(found, UserEvent)
    assert found.producer == producer


@pytest.mark.parametrize(
    ("entries", "sign_up", "login_role"),
    [
        ([], None, None),
        ([{"id": "sso", "type": "signuptype"}, {"id": "[x]", "type": "USERROLE"}], "sso", "[x]"),
        ([{"id": "sso", "type": "SignupType"}, {"id": "self", "type": "SignUpType"}], "self", None),
        ([{"id": "sso", "type": None}, {"id": "sso"}, {}, None, "SignupType", 5], None, None),
        ([{"id": "sso", "type": "SignupType"}, {"id": None, "type": "SignupType"}], "sso", None),
        ([{"type": "UserRole"}, {"id": 5, "type": "UserRole"}], None, None),
    ],
)
def test_the_last_entry_of_a_type_counts_and_those_that_say_nothing_are_passed_over(
    entries: list[Any], sign_up: str | None, login_role: str | None
) -> None:
    found = parse(context(cdata=entries))
    assert isinstance(found, UserEvent)
    assert (found.sign_up, found.login_role) == (sign_up, login_role)


NAMES = ["object", "edata", "context", "id", "type", "state", "pdata", "pid", "cdata", "ets"]


@given(st.dictionaries(st.sampled_from(NAMES), json_values(NAMES), max_size=2))
def test_whatever_comes_is_an_event_or_skipped_or_invalid(members: dict[str, Any]) -> None:
    found: UserEvent | Skipped | None = None
    with contextlib.suppress(InvalidEvent):
        found = parse(event(**members))
    assert found is None or isinstance(found, Skipped) or found.user_id.strip()
