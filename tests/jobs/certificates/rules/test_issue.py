"""Whether a certificate is issued, and the list of an enrolment's certificates afterwards."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.certificates.rules.issue import (
    Allowed,
    CreatedCertificate,
    IssuedBefore,
    IssuedEntry,
    Stop,
    decide,
    intent_key,
    issued_entry,
    may_issue,
    with_entry,
)
from lern_tasks.sunbird.certificate_name import name_key
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from tests.jobs.certificates.rules.certificates import KEY, issued

NOW = datetime(2024, 3, 1, 10, 0, 0, 123_999, tzinfo=UTC)
MERIT_1 = issued(("Course Merit", "c1"))
ISSUED = Stop(reason="issued already")
REPLACED = Stop(reason="replaced already")
NO_ROW = Stop(reason="there is no such enrolment")


@pytest.mark.parametrize(
    ("stored", "old_id", "expected"),
    [
        pytest.param(None, "", NO_ROW, id="no row"),
        pytest.param(None, "c1", NO_ROW, id="no row, re-issue"),
        pytest.param([], "", Allowed(), id="first issue"),
        pytest.param(issued(("Participation", "p1")), "", Allowed(), id="first issue beside another"),
        pytest.param(MERIT_1, "", ISSUED, id="issued already"),
        pytest.param(issued(("COURSE MERIT", "c1")), "", ISSUED, id="issued already, in another case"),
        pytest.param(MERIT_1, "c1", Allowed(), id="re-issue"),
        pytest.param([], "c1", Allowed(), id="re-issue of what the row does not have"),
        pytest.param(issued(("Participation", "c1")), "c1", Allowed(), id="re-issue, the id under another name"),
        pytest.param(issued(("Course Merit", "c2")), "c1", REPLACED, id="the re-issue has happened"),
        pytest.param([{"name": "Course Merit"}], "c1", REPLACED, id="element without identifier"),
        pytest.param(issued(("Course Merit", "c2"), ("course merit", "c1")), "c1", Allowed(), id="one of two"),
    ],
)
def test_what_may_be_issued(stored: Sequence[IssuedEntry] | None, old_id: str, expected: Allowed | Stop) -> None:
    assert may_issue(stored, "Course Merit", old_id) == expected


@pytest.mark.parametrize("delivered_before", [False, True])
@pytest.mark.parametrize(
    ("stored", "old_id", "created_id", "expected"),
    [
        pytest.param([], "", None, Allowed(), id="first issue"),
        pytest.param([], "", "c1", Allowed(), id="created, but not yet in the enrolment"),
        pytest.param(MERIT_1, "c1", "c2", Allowed(), id="re-issue, created but not yet in the enrolment"),
        pytest.param(None, "", "c1", NO_ROW, id="no row: whether it is a duplicate is not known"),
        pytest.param(MERIT_1, "", None, ISSUED, id="issued by another request"),
        pytest.param(MERIT_1, "", "c2", Stop(reason="issued already", duplicate="c2"), id="another one was quicker"),
        pytest.param(
            issued(("Course Merit", "c3")), "c1", "c2", Stop(reason="replaced already", duplicate="c2"), id="re-issue"
        ),
    ],
)
def test_what_was_created_and_is_not_in_the_enrolment_is_a_duplicate(
    stored: Sequence[IssuedEntry] | None,
    old_id: str,
    created_id: str | None,
    expected: Allowed | Stop,
    delivered_before: bool,
) -> None:
    found = decide(stored, name="Course Merit", old_id=old_id, created_id=created_id, delivered_before=delivered_before)
    assert found == expected


@pytest.mark.parametrize(
    ("stored", "old_id", "reason"),
    [(MERIT_1, "", "issued already"), (issued(("COURSE MERIT", "c1")), "c0", "replaced already")],
)
def test_what_an_earlier_delivery_wrote_is_followed_up_by_the_next(
    stored: Sequence[IssuedEntry], old_id: str, reason: str
) -> None:
    first, again = (
        decide(stored, name="Course Merit", old_id=old_id, created_id="c1", delivered_before=before)
        for before in (False, True)
    )
    assert (first, again) == (Stop(reason=reason), IssuedBefore(certificate_id="c1"))


def made(name: str = "Course Merit", identifier: str = "1-9", now: datetime = NOW) -> IssuedEntry:
    extras = {"templateUrl": "https://x.example/merit.svg", "type": "TrainingCertificate"}
    return issued_entry(name, CreatedCertificate(identifier=identifier, extras=extras), now=now)


def test_the_entry() -> None:
    assert made() == {
        "name": "Course Merit",
        "identifier": "1-9",
        "token": "",
        "lastIssuedOn": "2024-03-01T10:00:00.123+0000",
        "templateUrl": "https://x.example/merit.svg",
        "type": "TrainingCertificate",
    }


def test_the_time_of_an_element_is_written_in_utc() -> None:
    india = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert made(now=india)["lastIssuedOn"] == "2024-03-01T10:00:00.123+0000"


def test_a_certificate_takes_the_place_of_its_name_at_the_end() -> None:
    participation = {"name": "Participation", "identifier": "p1", "token": "Q2W3E4"}
    old = [participation, {"name": "course merit", "identifier": "m1", "token": ""}]
    assert with_entry(old, made()) == [participation, made()]


def test_elements_without_name_stay() -> None:
    assert with_entry([{"identifier": "x"}], made()) == [{"identifier": "x"}, made()]


names = st.sampled_from(["Merit", "MERIT", "merit", "Participation", "PARTICIPATION", "Élan", "ÉLAN"])


@given(st.lists(names))
def test_at_most_one_element_a_name_and_none_of_another_is_lost(order: list[str]) -> None:
    stored: list[IssuedEntry] = []
    for number, name in enumerate(order):
        stored = with_entry(stored, made(name, f"1-{number}"))
        assert stored[-1]["identifier"] == f"1-{number}"
    found = [name_key(entry["name"]) for entry in stored]
    assert len(found) == len(set(found))
    assert set(found) == {name_key(name) for name in order}


actions = st.tuples(names, st.sampled_from(["first", "re-issue", "repeated re-issue"]))


@given(st.lists(actions))
def test_any_order_and_repetition_of_requests_issues_once_and_replaces_once(requests: list[tuple[str, str]]) -> None:
    stored: list[IssuedEntry] = []
    old_of: dict[str, str] = {}
    for number, (name, action) in enumerate(requests):
        present = [entry for entry in stored if name_key(entry["name"]) == name_key(name)]
        old_id = present[0]["identifier"] if present and action == "re-issue" else ""
        if action == "repeated re-issue":
            old_id = old_of.get(name_key(name), "")
        verdict = may_issue(stored, name, old_id)
        repeated = action == "repeated re-issue" and bool(old_id)
        assert isinstance(verdict, Allowed) is (not present or (bool(old_id) and not repeated))
        if isinstance(verdict, Allowed):
            stored = with_entry(stored, made(name, f"1-{number}"))
            if old_id:
                old_of[name_key(name)] = old_id
    assert len(stored) == len({name_key(name) for name, _ in requests})


def test_an_intent_is_for_one_learner_name_and_replaced_certificate() -> None:
    other = EnrolmentKey(user_id="u-43", course_id=KEY.course_id, batch_id=KEY.batch_id)
    assert intent_key(KEY, "Course Merit", "") == intent_key(KEY, "COURSE merit", "")
    assert intent_key(KEY, "Course Merit", "").startswith("u-42:do_9001:0139000000000001:")
    others = [
        intent_key(KEY, "Course Merit", ""),
        intent_key(KEY, "Course Merit", "c1"),
        intent_key(KEY, "Participation", ""),
        intent_key(other, "Course Merit", ""),
    ]
    assert len(set(others)) == len(others)
