"""Who has earned a template: the tables of docs/jobs/collection_cert_pre_processor.md, "Rules"."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.certificates.rules.criteria import (
    EnrolmentMatch,
    NoMatch,
    match_enrolment,
    match_score,
    match_user,
    percentages,
    same_name,
    scored_contents,
)
from tests.jobs.certificates.rules.certificates import issued, row, template

C1 = issued(("Course Merit", "c1"))


def first_issue(old_id: str = "") -> EnrolmentMatch:
    return EnrolmentMatch(old_id=old_id)


def no(reason: str) -> NoMatch:
    return NoMatch(reason=reason)


ALREADY = no("a certificate of this name is issued already")
NOT_ACTIVE = no("the enrolment is not active")


@pytest.mark.parametrize(
    ("columns", "reissue", "expected"),
    [
        pytest.param({}, False, first_issue(), id="first issue"),
        pytest.param({"issued_certificates": C1}, False, ALREADY, id="issued already"),
        pytest.param({"issued_certificates": C1}, True, first_issue("c1"), id="re-issue"),
        pytest.param({}, True, first_issue(), id="re-issue of nothing is a first issue"),
        pytest.param(
            {"status": 1}, False, no("the enrolment's status is 1, the template asks for 2"), id="not completed"
        ),
        pytest.param({"active": False}, False, NOT_ACTIVE, id="not active"),
        pytest.param({"active": None, "status": None}, False, NOT_ACTIVE, id="nulls"),
        pytest.param(
            {"status": None}, False, no("the enrolment's status is 0, the template asks for 2"), id="null status"
        ),
        pytest.param({"issued_certificates": []}, False, first_issue(), id="empty list"),
        pytest.param({"issued_certificates": issued(("COURSE MERIT", "c9"))}, False, ALREADY, id="another case"),
        pytest.param({"issued_certificates": issued(("Participation", "p1"))}, False, first_issue(), id="another name"),
        pytest.param(
            {"issued_certificates": issued(("Participation", "p1"), ("course merit", "c1"), ("Course Merit", "c2"))},
            True,
            first_issue("c1"),
            id="the first of that name",
        ),
        pytest.param({"issued_certificates": [{"identifier": "c1"}]}, False, first_issue(), id="element without name"),
        pytest.param(
            {"issued_certificates": [{"name": "Course Merit"}]}, True, first_issue(), id="element without identifier"
        ),
    ],
)
def test_enrolment(columns: dict[str, Any], reissue: bool, expected: EnrolmentMatch | NoMatch) -> None:
    assert match_enrolment(template(), row(**columns), reissue=reissue) == expected


@pytest.mark.parametrize("criteria", [{"enrollment": {"status": 2}}, {"assessment": {"score": {">=": 1}}}])
@pytest.mark.parametrize("reissue", [False, True])
def test_no_row_is_no_match(criteria: dict[str, Any], reissue: bool) -> None:
    found = match_enrolment(template(criteria=criteria), None, reissue=reissue)
    assert found == no("the learner is not enrolled in this batch")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"status": 1}, first_issue()),
        ({"status": None}, first_issue()),
        ({"active": False}, NOT_ACTIVE),
        ({"active": None}, NOT_ACTIVE),
        ({"status": 1, "issued_certificates": C1}, ALREADY),
    ],
)
@pytest.mark.parametrize(
    "criteria",
    [{"assessment": {"score": {">=": 60}}}, {"enrollment": {}, "assessment": {"score": 1}}, {"users": {"x": 1}}],
)
def test_without_enrolment_criterion_any_status_will_do_but_active_and_not_issued(
    criteria: dict[str, Any], columns: dict[str, Any], expected: EnrolmentMatch | NoMatch
) -> None:
    assert match_enrolment(template(criteria=criteria), row(**columns), reissue=False) == expected


def test_a_status_given_as_text_never_matches_and_the_reason_says_so() -> None:
    asked = template(criteria={"enrollment": {"status": "2"}})
    found = match_enrolment(asked, row(), reissue=False)
    assert found == no("the status that the template asks for (criteria.enrollment.status) is no number")


SUPPORTED = ("do_1", "do_2")


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        pytest.param({"score:do_1": 6, "max_score:do_1": 8}, {"do_1": 75}, id="percent"),
        pytest.param(
            {"score:do_1": 6, "max_score:do_1": 8, "score:do_2": 8}, {"do_1": 75, "do_2": 800}, id="no maximum counts 1"
        ),
        pytest.param(
            {"score:do_1": 6, "max_score:do_1": 8, "score:do_2": 8, "max_score:do_2": 10},
            {"do_1": 75, "do_2": 80},
            id="two contents",
        ),
        pytest.param({"score:do_1": 1, "max_score:do_1": 3}, {"do_1": 100 / 3}, id="a third"),
        pytest.param({"score:do_1": 5, "max_score:do_1": 0}, {}, id="a maximum of 0 is no score"),
        pytest.param({"score:do_1": 0, "max_score:do_1": 0}, {}, id="0 of 0 is no score"),
        pytest.param({"score:do_1": 0, "max_score:do_1": 5}, {"do_1": 0}, id="0 is a score"),
        pytest.param({"score:do_3": 5, "max_score:do_3": 5}, {}, id="not of a supported type"),
        pytest.param({"max_score:do_1": 5, "completedCount": 3, "attempts_count:do_1": 2}, {}, id="no score"),
        pytest.param({"score:do_1": math.inf}, {}, id="infinite"),
        pytest.param({"score:do_1": 1, "max_score:do_1": math.nan}, {}, id="not a number"),
        pytest.param({"score:do_1": 1e308}, {}, id="too great"),
        pytest.param({}, {}, id="no row"),
    ],
)
def test_percentages(figures: dict[str, float], expected: dict[str, float]) -> None:
    assert percentages(figures, SUPPORTED) == expected


def test_scored_contents() -> None:
    figures = {"score:do_1": 1.0, "max_score:do_2": 5.0, "completedCount": 2.0, "score:": 1.0, "score:a:b": 0.0}
    assert scored_contents(figures) == ["do_1", "a:b"]


@pytest.mark.parametrize(
    ("percent", "score", "holds"),
    [
        ({"a": 60.0}, {">=": 60}, True),
        ({"a": 59.999}, {">=": 60}, False),
        ({}, {"<=": 40}, True),
        ({}, {"<": 1}, True),
        ({}, {"ne": 50}, True),
        ({}, {">=": 0}, True),
        ({}, {">=": 1}, False),
        ({"a": 70.0}, {">=": 60, "<=": 65}, False),
        ({"a": 62.0}, {">=": 60, "<=": 65}, True),
        ({"a": 60.5}, {">=": 60.5}, True),
        ({"a": 60.4}, {">=": 60.5}, False),
        ({"a": 60.0}, 60, True),
        ({"a": 60.1}, 60, False),
        ({"a": 100 / 3}, {"eq": 33}, False),
        ({"a": 33.0}, {"eq": 33}, True),
        ({"a": 33.0}, {"EQ": 33}, True),
        ({"a": 33.0}, {"=": 33}, True),
        ({"a": 33.0}, {"ne": 33}, False),
        ({"a": 33.0}, {"!=": 33}, False),
        ({"a": 33.0}, {"!=": 34}, True),
        ({"a": 33.0}, {">": 33}, False),
        ({"a": 33.1}, {">": 33}, True),
        ({"a": 33.0}, {"<": 33}, False),
        ({"a": 33.0}, {"<=": 33}, True),
        ({"a": 10.0, "b": 90.0}, {">=": 60}, True),
        ({"a": 75.0, "b": 800.0}, {"<=": 100}, False),
        ({"a": 99.0}, {}, False),
        ({"a": 99.0}, {">=": 60, "gte": 60}, False),
        *(({"a": 50.0}, {operator: 50}, False) for operator in ("GTE", "gte", "==", "Eq", "NE", "")),
    ],
)
def test_score(percent: dict[str, float], score: Any, holds: bool) -> None:
    found = match_score(template(criteria={"assessment": {"score": score}}), percent)
    assert (found is None) is holds


@pytest.mark.parametrize("criteria", [{"enrollment": {"status": 2}}, {"enrollment": {"status": 2}, "assessment": {}}])
def test_without_assessment_criterion_no_score_is_asked_for(criteria: dict[str, Any]) -> None:
    assert match_score(template(criteria=criteria), {}) is None


@pytest.mark.parametrize(
    ("percent", "score", "reason"),
    [
        ({"a": 59.9999}, {">=": 60}, "the best score is 59.9999 %; the template asks for >= 60"),
        ({"a": 70.0}, {">=": 60, "<=": 65.5}, "the best score is 70 %; the template asks for >= 60, <= 65.5"),
        ({}, {">=": 60}, "there is no score, which counts as 0 %; the template asks for >= 60"),
        (
            {"a": 70.0},
            {"gte": 60},
            "the template's score has the unknown operator gte; known are EQ, eq, =, ne, !=, >, <, >=, <=",
        ),
        ({"a": 70.0}, {}, "the template's score has no operator; known are EQ, eq, =, ne, !=, >, <, >=, <="),
    ],
)
def test_a_score_that_misses_says_by_what(percent: dict[str, float], score: Any, reason: str) -> None:
    assert match_score(template(criteria={"assessment": {"score": score}}), percent) == no(reason)


ENROLLED = {"enrollment": {"status": 2}}
BLOCKED = no("the user service knows no such user, or the account is blocked")


@pytest.mark.parametrize(
    ("criteria", "user", "expected"),
    [
        (ENROLLED, {"firstName": "A"}, None),
        (ENROLLED, {}, BLOCKED),
        ({**ENROLLED, "user": {}}, {"firstName": "A"}, None),
        ({"user": {"rootOrgId": "01"}}, {"rootOrgId": "01"}, None),
        ({"users": {"rootOrgId": "01"}}, {"rootOrgId": "01"}, None),
        ({"user": {"rootOrgId": "01"}}, {}, BLOCKED),
        (
            {"user": {"rootOrgId": "01"}},
            {"rootOrgId": "02"},
            no("the user's rootOrgId is not the one that the template asks for"),
        ),
        (
            {"user": {"rootOrgId": "01"}},
            {"firstName": "A"},
            no("the user's rootOrgId is not the one that the template asks for"),
        ),
        (
            {"user": {"rootOrgId": None}},
            {"firstName": "A"},
            no("the user's rootOrgId is not the one that the template asks for"),
        ),
        (
            {"user": {"rootOrgId": "01", "framework": {"board": ["X"]}}},
            {"rootOrgId": "01", "framework": {"board": ["Y"]}},
            no("the user's framework is not the one that the template asks for"),
        ),
        (
            {"user": {"rootOrgId": "01", "framework": {"board": ["X"]}}},
            {"rootOrgId": "01", "framework": {"board": ["X"]}},
            None,
        ),
    ],
)
def test_user(criteria: dict[str, Any], user: dict[str, Any], expected: NoMatch | None) -> None:
    assert match_user(template(criteria=criteria), user) == expected


def test_a_reason_never_shows_what_the_user_service_says() -> None:
    asked = template(criteria={"user": {"email": "wanted@example.org"}})
    found = match_user(asked, {"email": "asha@example.org"})
    assert found is not None
    assert "@" not in found.reason


names = st.sampled_from(["Merit", "MERIT", "merit", "Participation", ""])
elements = st.lists(st.fixed_dictionaries({"name": names, "identifier": st.sampled_from(["a", "b", ""])}))


@given(
    issued_certificates=elements,
    active=st.sampled_from([True, False, None]),
    status=st.sampled_from([0, 1, 2, None]),
    reissue=st.booleans(),
)
def test_a_first_issue_never_matches_a_name_that_is_there(
    issued_certificates: list[dict[str, str]], active: bool | None, status: int | None, reissue: bool
) -> None:
    stored = row(issued_certificates=issued_certificates, active=active, status=status)
    found = match_enrolment(template(name="Merit"), stored, reissue=reissue)
    present = same_name(issued_certificates, "Merit")
    if isinstance(found, NoMatch):
        assert found.reason
        return
    assert (active, status) == (True, 2)
    assert found.old_id == (present[0]["identifier"] if present else "")
    assert reissue or not present


@given(
    figures=st.dictionaries(
        st.sampled_from(["score:a", "max_score:a", "score:b", "max_score:b", "completedCount"]), st.floats()
    )
)
def test_percentages_are_always_finite(figures: dict[str, float]) -> None:
    assert all(math.isfinite(value) for value in percentages(figures, ("a", "b")).values())
