"""What is changed in a hash, given what is stored, the profile and the events."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.users.rules.sign_in import Dated
from lern_tasks.jobs.users.rules.update import Update, decide_update

REMOVABLE = ["state", "district", "block", "cluster", "schooludisecode", "schoolname"]
STORED = {
    "firstname": "Asha",
    "state": "Goa",
    "schoolname": "A",
    "schooludisecode": "1",
    "board": "CBSE",
    "framework_skill": "[]",
    "usersignintype": "Validated",
}
EVENT = {"usersignintype": Dated(time_ms=5, value="Self-Signed-In")}


def decide(**changes: Any) -> Update:
    given: dict[str, Any] = {
        "profile": {"firstname": "Asha", "state": "Assam"},
        "events": {},
        "stored": STORED,
        "event_times": {},
        "removable": REMOVABLE,
        "dynamic": False,
    }
    return decide_update(**{**given, **changes})


def test_what_the_profile_no_longer_has_is_removed_if_it_may_be() -> None:
    update = decide()
    assert update.fields == {"firstname": "Asha", "state": "Assam"}
    assert update.removed == {"schoolname", "schooludisecode"}


def test_nothing_is_removed_without_a_profile() -> None:
    update = decide(profile=None, events=EVENT, dynamic=True)
    assert update == Update(
        fields={"usersignintype": "Self-Signed-In"}, removed=frozenset(), event_times={"usersignintype": 5}
    )


def test_fields_of_categories_are_removed_when_they_are_written() -> None:
    profile = {"framework_board": "[]"}
    assert "framework_skill" in decide(profile=profile, dynamic=True).removed
    assert "framework_skill" not in decide(profile=profile, dynamic=False).removed
    assert "framework_skill" not in decide(profile={"framework_skill": "[1]"}, dynamic=True).removed


def test_more_fields_may_go_by_setting() -> None:
    assert decide(removable=[*REMOVABLE, "board"]).removed == {"schoolname", "schooludisecode", "board"}


@pytest.mark.parametrize(
    ("noted", "stored", "written"),
    [
        (None, "Validated", True),
        (4, "Validated", True),
        (5, "Self-Signed-In", True),
        (5, "Validated", False),
        (6, "Self-Signed-In", False),
        (6, None, False),
    ],
)
def test_an_older_event_is_dropped(noted: int | None, stored: str | None, written: bool) -> None:
    update = decide(
        profile=None,
        events=EVENT,
        stored={} if stored is None else {"usersignintype": stored},
        event_times={} if noted is None else {"usersignintype": noted},
    )
    assert update.fields == ({"usersignintype": "Self-Signed-In"} if written else {})
    assert update.event_times == ({"usersignintype": 5} if written else {})


NAMES = st.sampled_from([*REMOVABLE, "firstname", "board", "framework_a", "framework_b"])
HASH = st.dictionaries(NAMES, st.text(max_size=2))


@given(HASH, HASH, st.booleans())
def test_afterwards_the_hash_agrees_with_the_profile(
    stored: dict[str, str], profile: dict[str, str], dynamic: bool
) -> None:
    update = decide(profile=profile, stored=stored, dynamic=dynamic)
    after = {name: value for name, value in {**stored, **update.fields}.items() if name not in update.removed}
    assert after.items() >= profile.items()
    may_go = {name for name in stored if name in REMOVABLE or (dynamic and name.startswith("framework_"))}
    assert set(after) == set(profile) | (set(stored) - may_go)
    again = decide(profile=profile, stored=after, dynamic=dynamic)
    assert (dict(again.fields), again.removed) == (profile, frozenset())


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["a", "b"])), min_size=1, max_size=5), st.randoms())
def test_events_in_any_order_leave_the_same_value(events: list[tuple[int, str]], random: Any) -> None:
    def applied(order: list[tuple[int, str]]) -> tuple[dict[str, str], dict[str, int]]:
        stored: dict[str, str] = {"userlogintype": "what another writer left"}
        times: dict[str, int] = {}
        for time_ms, value in order:
            said = {"userlogintype": Dated(time_ms=time_ms, value=value)}
            update = decide(profile=None, events=said, stored=stored, event_times=times)
            stored.update(update.fields)
            times.update(update.event_times)
        return stored, times

    expected = applied(sorted(events))
    assert expected[0]["userlogintype"] == max(events)[1]
    random.shuffle(events)
    assert applied(events) == expected
    assert applied([*events, *events]) == expected
