import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.users.rules.index import (
    FIELDS,
    Location,
    Organisation,
    ProfileLocation,
    ProfileLookups,
    UserRow,
    fields_of,
    is_due,
    wanted_locations,
    wanted_organisations,
)

LOOKUPS = ProfileLookups(
    memberships=("sub-1",),
    organisations={
        "root": Organisation(name="Tamil Nadu", external_id="TN", type=5),
        "sub-1": Organisation(name="Block Office", external_id="BO", type=3),
        "school-2": Organisation(name="[RPM] HIGH", external_id="2902", type=2),
        "school-1": Organisation(name="GHS", external_id="2901", type=2),
    },
    locations={
        "l-state": Location(name="Karnataka", type="state"),
        "l-other": Location(name="Goa", type="State"),
        "l-district": Location(name="Mysuru", type="district"),
        "l-block": Location(name="Hunsur", type="block"),
    },
    custodian_id="custodian",
    self_signed_in="Self-Signed-In",
    validated="Validated",
)
ROOTED = UserRow(user_id="u1", root_org_id="root")


def lookups(**changes: Any) -> ProfileLookups:
    return replace(LOOKUPS, **changes)


def fields(lookups: ProfileLookups = LOOKUPS, **changes: Any) -> dict[str, str]:
    return fields_of(replace(ROOTED, **changes), lookups)


def test_a_whole_user() -> None:
    user = UserRow(
        user_id="u1",
        first_name="Nia",
        last_name="Rao",
        email="Zm9v",
        phone="YmFy",
        root_org_id="root",
        framework={"board": ["CBSE"], "id": ["tn_k-12_5"], "medium": ["Hindi", "Urdu"], "gradeLevel": ["Class 1"]},
        locations=[ProfileLocation(type="state", id="l-state"), ProfileLocation(type="district", id="l-district")],
        user_types=[{"type": "administrator", "subType": "hm"}, {"type": "teacher"}],
    )
    assert fields_of(user, lookups(memberships=("sub-1", "school-1"))) == {
        "firstname": "Nia",
        "lastname": "Rao",
        "email": "Zm9v",
        "phone": "YmFy",
        "rootorgid": "root",
        "orgname": "Tamil Nadu",
        "usersignintype": "Validated",
        "board": "CBSE",
        "framework": "tn_k-12_5",
        "medium": '["Hindi","Urdu"]',
        "grade": '["Class 1"]',
        "state": "Karnataka",
        "district": "Mysuru",
        "schoolname": "GHS",
        "schooludisecode": "2901",
        "usertype": "administrator,teacher",
        "usersubtype": "hm",
        "profileusertypes": r'\[{"subType":"hm","type":"administrator"},{"type":"teacher"}\]',
    }


def test_an_empty_row_has_a_sign_in_type_and_empty_user_types() -> None:
    assert fields_of(UserRow(user_id="u1", user_types=[]), lookups(memberships=())) == {
        "usersignintype": "Validated",
        "usertype": "",
        "usersubtype": "",
        "profileusertypes": "",
    }


@pytest.mark.parametrize(
    ("root", "expected"), [("custodian", "Self-Signed-In"), ("root", "Validated"), (None, "Validated")]
)
def test_sign_in_type_by_root_organisation(root: str | None, expected: str) -> None:
    assert fields(root_org_id=root)["usersignintype"] == expected


def test_the_root_organisation_names_those_who_belong_to_any() -> None:
    assert fields()["orgname"] == "Tamil Nadu"
    assert "orgname" not in fields(lookups(memberships=()))
    assert "orgname" not in fields(root_org_id="unknown")
    assert "orgname" not in fields(root_org_id=None)


def test_the_school_with_the_lowest_organisation_id() -> None:
    """Trap 15: which of several schools won was random."""
    for memberships in (("school-2", "sub-1", "school-1"), ("school-1", "school-2")):
        found = fields(lookups(memberships=memberships))
        assert (found["schoolname"], found["schooludisecode"]) == ("GHS", "2901")


def test_a_school_name_is_stored_with_escaped_brackets() -> None:
    assert fields(lookups(memberships=("school-2",)))["schoolname"] == r"\[RPM\] HIGH"


def test_an_organisation_that_is_no_school_or_is_missing_gives_none() -> None:
    assert not {"schoolname", "schooludisecode"} & fields(lookups(memberships=("a-missing", "sub-1"))).keys()


def test_several_boards_and_frameworks_give_the_first() -> None:
    """Trap 15."""
    found = fields(framework={"board": ["CBSE", "State"], "id": ["f-1", "f-2"]})
    assert (found["board"], found["framework"]) == ("CBSE", "f-1")


def test_a_framework_without_a_category() -> None:
    found = fields(framework={"board": [], "gradeLevel": ["Class 1"], "subject": []})
    assert "board" not in found
    assert "framework" not in found
    assert "medium" not in found
    assert found["grade"] == '["Class 1"]'
    assert found["subject"] == "[]"


def test_the_first_location_of_a_type_decides() -> None:
    locations = [
        ProfileLocation(type="State", id="unknown"),
        ProfileLocation(type="state", id="l-state"),
        ProfileLocation(type="BLOCK", id="l-block"),
    ]
    found = fields(locations=locations)
    assert "state" not in found
    assert found["block"] == "Hunsur"


def test_a_location_of_another_type_is_not_taken() -> None:
    assert "district" not in fields(locations=[ProfileLocation(type="district", id="l-state")])
    assert fields(locations=[ProfileLocation(type="state", id="l-other")])["state"] == "Goa"


@pytest.mark.parametrize(
    "location",
    [
        ProfileLocation(type=None, id="l-state"),
        ProfileLocation(type="", id="l-state"),
        ProfileLocation(type="state", id=None),
    ],
)
def test_a_location_without_type_or_id_gives_no_field(location: ProfileLocation) -> None:
    """Trap 18: a missing type was a field without name."""
    assert not {"", "state"} & fields(locations=[location]).keys()


def test_user_types_are_distinct_in_the_order_seen() -> None:
    kinds = [("administrator", "hm"), ("teacher", None), ("administrator", "crp"), ("other", "")]
    found = fields(user_types=[{"type": kind, "subType": sub} for kind, sub in kinds])
    assert found["usertype"] == "administrator,teacher,other"
    assert found["usersubtype"] == "hm,crp"


def test_an_entry_without_type_stays_in_the_list() -> None:
    """Trap 20."""
    found = fields(user_types=[{"subType": "hm"}, {"type": "teacher"}])
    assert found["usertype"] == "teacher"
    assert found["profileusertypes"] == r'\[{"subType":"hm"},{"type":"teacher"}\]'


def test_what_cannot_be_read_leaves_its_fields_out_and_no_others() -> None:
    found = fields(locations=None, user_types=None, first_name="Nia")
    assert found == {
        "firstname": "Nia",
        "rootorgid": "root",
        "orgname": "Tamil Nadu",
        "usersignintype": "Validated",
    }


@pytest.mark.parametrize(
    ("updated", "since", "due"),
    [
        ("2024-05-01 10:00:00:000+0000", date(2024, 5, 2), False),
        ("2024-05-02 00:00:00:000+0000", date(2024, 5, 2), True),
        ("2024-05-01 23:59:59:999+0000", date(2024, 5, 2), False),
        ("2024-05-02 01:00:00:000+0530", date(2024, 5, 2), False),
        ("2024-05-01 23:00:00:000-0230", date(2024, 5, 2), True),
        ("2024-05-01 10:00:00:000+0000", None, True),
        (None, date(2024, 5, 2), True),
        ("", date(2024, 5, 2), True),
        ("last week", date(2024, 5, 2), True),
        ("2024-05-01 10:00:00:000", date(2024, 5, 2), True),
    ],
)
def test_the_date_filter(updated: str | None, since: date | None, due: bool) -> None:
    """Trap 12: no date means all; who has no time of change is always taken."""
    assert is_due(updated, since) is due


texts = st.none() | st.text(alphabet="ab[]{}\\", max_size=4)
users = st.builds(
    UserRow,
    user_id=st.just("u1"),
    first_name=texts,
    last_name=texts,
    root_org_id=st.sampled_from([None, "root", "custodian", "unknown"]),
    framework=st.none()
    | st.dictionaries(
        st.sampled_from(["board", "id", "medium", "gradeLevel", "x"]), st.lists(st.text(max_size=3), max_size=3)
    ),
    locations=st.none()
    | st.lists(
        st.builds(
            ProfileLocation,
            type=st.sampled_from([None, "", "STATE", "block", "school"]),
            id=st.sampled_from([None, "l-state", "l-block"]),
        )
    ),
    user_types=st.none() | st.lists(st.fixed_dictionaries({"type": texts, "subType": texts}), max_size=3),
)
memberships = st.lists(st.sampled_from(["sub-1", "school-1", "school-2", "gone"]), unique=True)


@pytest.mark.parametrize(("legacy", "dynamic"), [(False, True), (True, True)])
def test_framework_fields_by_category(legacy: bool, dynamic: bool) -> None:
    """Section 8: the setting chooses between fields of fixed name and one for each category."""
    framework = {"board": ["CBSE"], "id": ["f-1"], "medium": ["Hindi"]}
    found = fields(lookups(legacy=legacy, dynamic=dynamic), framework=framework)
    categories = {name: text for name, text in found.items() if name.startswith("framework_")}
    assert categories == {"framework_board": '["CBSE"]', "framework_id": "f-1", "framework_medium": '["Hindi"]'}
    assert ("board" in found) is legacy


@given(users, memberships)
def test_only_known_fields_and_text(user: UserRow, of: list[str]) -> None:
    found = fields_of(user, lookups(memberships=of))
    assert found.keys() <= FIELDS
    assert all(isinstance(text, str) for text in found.values())


@given(users, memberships)
def test_text_that_readers_take_for_json_is_json(user: UserRow, of: list[str]) -> None:
    """A reader parses what begins with a bracket."""
    for text in fields_of(user, lookups(memberships=of)).values():
        if text.startswith("["):
            json.loads(text)


@given(users, memberships)
def test_nothing_but_the_wanted_rows_matters(user: UserRow, of: list[str]) -> None:
    """The rows that are read for a user are all that its fields come from, and their order says nothing."""
    organisations = {i: LOOKUPS.organisations[i] for i in wanted_organisations(user, of) if i in LOOKUPS.organisations}
    locations = {i: LOOKUPS.locations[i] for i in wanted_locations(user) if i in LOOKUPS.locations}
    least = lookups(memberships=of[::-1], organisations=organisations, locations=locations)
    assert fields_of(user, least) == fields_of(user, lookups(memberships=of))
