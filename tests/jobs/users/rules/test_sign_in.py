"""The sign-in and login type: what an event says, and which of several events counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.users.rules.sign_in import Dated, SignInTypes, event_fields, event_time, newest

TYPES = SignInTypes(
    self_signed=frozenset({"google", "self"}),
    self_signed_name="Self-Signed-In",
    validated=frozenset({"sso"}),
    validated_name="Validated",
)


@pytest.mark.parametrize(
    ("sign_up", "login_role", "fields"),
    [
        ("google", None, {"usersignintype": "Self-Signed-In"}),
        ("self", None, {"usersignintype": "Self-Signed-In"}),
        ("sso", "student", {"usersignintype": "Validated", "userlogintype": "student"}),
        ("Google", None, {}),
        ("keycloak", None, {}),
        ("", "", {"userlogintype": ""}),
        (None, "[x]", {"userlogintype": r"\[x\]"}),
        (None, None, {}),
    ],
)
def test_what_an_event_says(sign_up: str | None, login_role: str | None, fields: dict[str, str]) -> None:
    assert event_fields(sign_up, login_role, TYPES) == fields


@pytest.mark.parametrize(
    ("ets", "received", "time"), [(5, 7, 5), (9, 7, 7), (None, 7, 7), (5, None, 5), (0, 7, 0), (None, None, 0)]
)
def test_an_event_is_no_younger_than_its_record(ets: int | None, received: int | None, time: int) -> None:
    assert event_time(ets, received) == time


DATED = st.builds(Dated, time_ms=st.integers(0, 3), value=st.sampled_from(["", "a", "b"]))
EVENTS = st.lists(st.dictionaries(st.sampled_from(["usersignintype", "userlogintype"]), DATED), max_size=6)


@given(EVENTS, st.randoms())
def test_the_newest_of_each_field_counts_in_any_order_and_cut(events: list[dict[str, Dated]], random: object) -> None:
    whole = newest(events)
    random.shuffle(events)  # type: ignore[attr-defined]
    cut = len(events) // 2
    assert newest([newest(events[:cut]), newest(events[cut:]), *events[:1]]) == whole
    for name, dated in whole.items():
        assert dated == max(event[name] for event in events if name in event)
