"""Fields of the user cache from the user service's answer: the worked examples, and properties."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.users.rules.framework import dynamic_fields, framework_id, legacy_fields
from lern_tasks.jobs.users.rules.profile import location_fields, profile_fields
from lern_tasks.jobs.users.rules.user_types import joined, type_fields
from tests.harness.profiles import CACHED, PROFILE, SCHOOL

USER: dict[str, Any] = {
    **PROFILE,
    "rootOrg": {"orgName": "State [Goa]"},
    "userLocations": [{"type": "state", "name": "Goa", "code": "30"}, {**SCHOOL, "type": "School"}],
    "framework": {**PROFILE["framework"], "board": ["CBSE", "Goa"]},
}
FIELDS = {name: value for name, value in CACHED.items() if name != "usersignintype"} | {"orgname": r"State \[Goa\]"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=4,
)


def test_a_whole_profile() -> None:
    assert profile_fields("u-100", USER) == FIELDS


def test_an_empty_profile_has_the_fields_that_are_always_there() -> None:
    always = {"firstname", "lastname", "email", "phone", "rootorgid", "orgname", "language"}
    assert profile_fields("u-1", {}) == {**dict.fromkeys(always, ""), "userid": "u-1"}


@pytest.mark.parametrize("name", ["framework", "rootOrg", "userLocations", "profileUserTypes", "language", "status"])
def test_null_is_as_good_as_absent(name: str) -> None:
    without = {key: value for key, value in USER.items() if key != name}
    assert profile_fields("u-100", {**USER, name: None}) == profile_fields("u-100", without)


@pytest.mark.parametrize("user_id", [None, "", "u-2"])
def test_the_id_is_the_services_own_if_it_says_it(user_id: str | None) -> None:
    assert profile_fields("u-1", {"userId": user_id})["userid"] == (user_id or "u-1")


@pytest.mark.parametrize(
    ("status", "stored"),
    [(1, "1"), (2, "2"), (2.0, "2"), (0, "0"), (1.5, None), (True, None), ("2", None), (float("inf"), None)],
)
def test_the_status_is_a_whole_number(status: Any, stored: str | None) -> None:
    assert profile_fields("u-1", {"status": status}).get("status") == stored


def test_the_worked_example_of_user_types() -> None:
    fields = type_fields(
        [
            {"type": "administrator", "subType": "hm"},
            {"type": "teacher"},
            {"type": "administrator", "subType": "crp"},
            {"type": "other"},
        ]
    )
    assert (fields["usertype"], fields["usersubtype"]) == ("administrator,teacher,other", "hm,crp")


def test_an_entry_without_type_is_kept_in_the_list_alone() -> None:
    fields = type_fields([{"subType": "hm"}, {"type": None, "subType": ""}, "x"])
    assert (fields["usertype"], fields["usersubtype"]) == ("", "hm")
    assert fields["profileusertypes"] == r'\[{"subType":"hm"},{"subType":"","type":null},"x"\]'


@pytest.mark.parametrize("entries", [None, [], {}, "teacher"])
def test_without_user_types_none_of_the_three_is_set(entries: Any) -> None:
    assert type_fields(entries) == {}


@given(st.lists(st.text(max_size=3) | st.none()))
def test_joined_values_are_different_and_in_their_first_order(values: list[str | None]) -> None:
    kept = [value for value in values if value and "," not in value]
    parts = joined(kept).split(",") if kept else []
    assert sorted(parts) == sorted(set(kept))
    assert parts == sorted(parts, key=kept.index)


def test_the_worked_example_of_a_framework() -> None:
    assert legacy_fields({"board": [], "gradeLevel": ["Class 1"], "medium": ["English"]}) == {
        "board": "",
        "framework": "",
        "subject": "[]",
        "grade": '["Class 1"]',
        "medium": '["English"]',
    }


@pytest.mark.parametrize("framework", [None, {}, [], "NCF"])
def test_an_empty_framework_sets_nothing(framework: Any) -> None:
    assert legacy_fields(framework) == {}
    assert dynamic_fields(framework, ["board"]) == {}
    assert framework_id(framework) == ""


def test_a_framework_of_single_values_is_read_as_lists_of_one() -> None:
    assert legacy_fields({"board": "CBSE", "medium": "Hindi", "id": None}) == {
        "board": "CBSE",
        "framework": "",
        "medium": '["Hindi"]',
        "grade": "[]",
        "subject": "[]",
    }


def test_dynamic_fields_are_those_of_categories_with_values() -> None:
    framework = {"id": ["NCF"], "board": ["CBSE"], "gradeLevel": ["Class 1"], "medium": [], "topic": ["x"]}
    assert dynamic_fields(framework, ["board", "gradeLevel", "medium", "skill"]) == {
        "framework_id": "NCF",
        "framework_board": '["CBSE"]',
        "framework_gradeLevel": '["Class 1"]',
    }


def test_dynamic_fields_stand_beside_the_legacy_ones_or_alone() -> None:
    legacy = {"board", "framework", "medium", "grade", "subject"}
    both = profile_fields("u-100", USER, categories=["board"])
    alone = profile_fields("u-100", USER, legacy=False, categories=["board"])
    assert both == {**FIELDS, "framework_id": "NCF", "framework_board": '["CBSE","Goa"]'}
    assert set(both) - set(alone) == legacy


@pytest.mark.parametrize(
    ("locations", "fields"),
    [
        ([{"type": " State ", "name": "Goa"}], {"state": "Goa"}),
        ([{"type": "", "name": "Goa"}, {"type": None, "name": "Goa"}, {"name": "Goa"}, {"type": " "}, "x", None], {}),
        ([{"type": "state", "name": None}], {"state": ""}),
        ([{"type": "SCHOOL", "name": "A", "code": None}], {"schoolname": "A", "schooludisecode": ""}),
        ([{"type": "block", "name": "A"}, {"type": "Block", "name": "B"}], {"block": "B"}),
        (None, {}),
        ({"type": "state"}, {}),
    ],
)
def test_locations(locations: Any, fields: dict[str, str]) -> None:
    assert location_fields(locations) == fields


def test_a_location_does_not_stand_for_what_the_profile_says() -> None:
    user = {"firstName": "Asha", "userLocations": [{"type": "firstName", "name": "Goa"}]}
    assert profile_fields("u-1", user)["firstname"] == "Asha"


@given(st.dictionaries(st.sampled_from(sorted(USER)) | st.text(max_size=4), JSON, max_size=4))
def test_whatever_the_service_answers_the_fields_are_text_that_redis_holds(user: dict[str, Any]) -> None:
    fields = profile_fields("u-1", user, categories=["board", "gradeLevel"])
    assert all("".join(pair).encode() is not None for pair in fields.items())
    assert all(name.strip() for name in fields)
    assert fields == profile_fields("u-1", json.loads(json.dumps(user)), categories=["board", "gradeLevel"])
