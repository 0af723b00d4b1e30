"""What a merge changes in one enrolment."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lern_tasks.jobs.accounts.rules.content import Amounts, LedgerEntry, Row
from lern_tasks.jobs.accounts.rules.merge import (
    Attempt,
    EnrolmentHistory,
    LedgerEntries,
    MergePlan,
    blocked_batches,
    merged_count,
    plan_merge,
)
from lern_tasks.jobs.accounts.rules.text_dates import date_format

EARLY, LATE = datetime(2023, 11, 14, 10, tzinfo=UTC), datetime(2023, 11, 15, 8, tzinfo=UTC)
ENROLMENT = {
    "status": 2,
    "active": True,
    "completedon": EARLY,
    "issued_certificates": [{"name": "Merit", "token": "s"}],
}


def planned(
    source: EnrolmentHistory, target: EnrolmentHistory, copied: bool | None = None, *, may_copy: bool = True
) -> MergePlan:
    dates = date_format("yyyy-MM-dd HH:mm:ss:SSSZ")
    return plan_merge(source, target, LedgerEntries(copied=copied), may_copy=may_copy, dates=dates)


@pytest.mark.parametrize(
    ("source", "target", "count"),
    [
        ({"completedCount": 10, "score:do_x": 3}, {"completedCount": 8, "score:do_y": 9}, 10),
        ({"completedCount": 4}, {}, 4),
        ({"score:do_x": 3}, {}, 0),
        ({"completedCount": 2}, {"completedCount": 5}, None),
        ({"completedCount": 5}, {"completedCount": 5}, None),
        ({"completedCount": 5}, {"score:do_y": 9}, 5),
        ({}, {"completedCount": 5}, None),
        ({}, {}, None),
    ],
)
def test_the_greater_count_is_put(source: dict[str, float], target: dict[str, float], count: float | None) -> None:
    assert merged_count(source, target) == count
    assert planned(EnrolmentHistory(figures=source), EnrolmentHistory(figures=target)).completed == count


def test_an_enrolment_that_the_target_lacks_is_copied_whole() -> None:
    made = planned(EnrolmentHistory(enrolment=ENROLMENT), EnrolmentHistory())
    assert made.copying
    assert made.enrolment == ENROLMENT
    assert not planned(EnrolmentHistory(enrolment=ENROLMENT), EnrolmentHistory(), may_copy=False).copying


def test_an_enrolment_of_both_stays_as_it_is_even_where_the_sources_is_complete() -> None:
    assert planned(EnrolmentHistory(enrolment=ENROLMENT), EnrolmentHistory(enrolment={"status": 1})).empty
    assert planned(EnrolmentHistory(enrolment=ENROLMENT), EnrolmentHistory(enrolment={"status": 1}), copied=True).empty
    assert planned(EnrolmentHistory(), EnrolmentHistory(enrolment=ENROLMENT)).empty


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ({"status": 1, "active": False}, {"completedon", "issued_certificates"}),
        (ENROLMENT, set()),
        ({**ENROLMENT, "issued_certificates": [{"name": "merit", "token": "t"}]}, set()),
    ],
)
def test_a_copy_that_was_cut_off_gets_what_it_lacks(there: dict[str, Any], missing: set[str]) -> None:
    made = planned(EnrolmentHistory(enrolment=ENROLMENT), EnrolmentHistory(enrolment=there), copied=False)
    assert made.copying
    assert made.enrolment == {name: ENROLMENT[name] for name in missing}


def test_a_certificate_issued_while_a_copy_was_cut_off_is_neither_lost_nor_doubled() -> None:
    there = {**ENROLMENT, "issued_certificates": [{"name": "Participation"}]}
    made = planned(EnrolmentHistory(enrolment=ENROLMENT), EnrolmentHistory(enrolment=there), copied=False)
    assert made.enrolment == {"issued_certificates": [{"name": "Participation"}, {"name": "Merit", "token": "s"}]}


def test_a_row_without_values_is_no_enrolment_to_copy() -> None:
    assert planned(EnrolmentHistory(enrolment={}), EnrolmentHistory()).empty


@pytest.mark.parametrize(
    ("source", "target", "blocked"),
    [
        ([("c1", "b1")], [], set()),
        ([("c1", "b1")], [("c2", "b1")], {"b1"}),
        ([("c1", "b1")], [("c1", "b1")], set()),
        # Two courses with one batch id, of which the target has one: maybe this merge has just copied it.
        ([("c1", "b1"), ("c2", "b1")], [("c1", "b1")], set()),
        ([], [("c1", "b1")], {"b1"}),
    ],
)
def test_a_batch_under_another_course_blocks_the_copy(
    source: list[tuple[str, str]], target: list[tuple[str, str]], blocked: set[str]
) -> None:
    assert blocked_batches(source, target) == blocked


def test_attempts_that_are_missing_or_newer() -> None:
    source: dict[Attempt, Row] = {
        ("r1", "a1"): {"total_score": 1.0, "last_attempted_on": EARLY},
        ("r1", "a2"): {"total_score": 2.0, "last_attempted_on": LATE},
        ("r1", "a3"): {"total_score": 3.0, "last_attempted_on": LATE},
        ("r1", "a4"): {"total_score": 4.0},
        ("r1", "a5"): {},
    }
    target: dict[Attempt, Row] = {
        ("r1", "a2"): {"total_score": 9.0, "grand_total": "9/9", "last_attempted_on": EARLY},
        ("r1", "a3"): {"total_score": 9.0, "last_attempted_on": LATE},
        ("r1", "a4"): {"total_score": 9.0},
    }
    made = planned(EnrolmentHistory(attempts=source), EnrolmentHistory(attempts=target))
    assert made.attempts == {
        ("r1", "a1"): source["r1", "a1"],
        ("r1", "a2"): {"total_score": 2.0, "grand_total": None, "last_attempted_on": LATE},
    }
    assert made.writes


def test_a_plan_from_what_the_plan_left_writes_nothing() -> None:
    source = EnrolmentHistory(
        enrolment=ENROLMENT, contents={"r1": {"status": 2, "viewcount": 3}}, figures={"completedCount": 1.0}
    )
    made = planned(source, EnrolmentHistory())
    noted = made.intended(LedgerEntries())
    assert noted == LedgerEntries(
        contents={"r1": LedgerEntry(added=Amounts(views=3), intended=Amounts(views=3), done=False)}, copied=False
    )
    left = plan_merge(source, source, noted, may_copy=True, dates=date_format("yyyy-MM-dd"))
    assert not left.writes
    assert not left.empty
