"""Counting what is done of what is required."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from lern_tasks.jobs.progress.rules.progress import compute_progress
from lern_tasks.sunbird.course_relations import CourseRelations

NONE: frozenset[str] = frozenset()
COURSE = CourseRelations(
    course_id="do_c1",
    leaf_nodes=frozenset({"r1", "r2", "r3", "r4"}),
    optional_nodes=frozenset({"r4"}),
    ancestors={
        "r1": frozenset({"un1", "do_c1"}),
        "r2": frozenset({"un1", "do_c1"}),
        "r3": frozenset({"un2", "do_c1"}),
        "r4": frozenset({"un2", "do_c1"}),
    },
    unit_leaf_nodes={"un1": frozenset({"r1", "r2"}), "un2": frozenset({"r3", "r4"})},
    unit_optional_nodes={"un2": frozenset({"r4"})},
)

Statuses = Mapping[str, int]


@pytest.mark.parametrize(
    ("statuses", "completed", "complete", "units"),
    [
        pytest.param({}, 0, False, {}, id="nothing"),
        pytest.param({"r1": 1}, 0, False, {"un1": 0}, id="started"),
        pytest.param({"r1": 2}, 1, False, {"un1": 1}, id="one"),
        pytest.param({"r1": 2, "r2": 1, "r3": 2}, 2, False, {"un1": 1, "un2": 1}, id="two and a start"),
        pytest.param({"r1": 2, "r2": 2, "r3": 2}, 3, True, {"un1": 2, "un2": 1}, id="all mandatory"),
        pytest.param({"r1": 2, "r2": 2, "r3": 2, "r4": 2}, 3, True, {"un1": 2, "un2": 1}, id="all"),
        pytest.param({"r1": 2, "r2": 2, "r4": 2}, 2, False, {"un1": 2, "un2": 0}, id="optional does not help"),
        pytest.param({"r1": 2, "r4": 2}, 1, False, {"un1": 1, "un2": 0}, id="one and an optional"),
        pytest.param({"r1": 2, "r2": 2, "r3": 2, "r9": 2}, 3, True, {"un1": 2, "un2": 1}, id="left the course"),
        pytest.param({"r1": 2, "r2": 3, "r3": 2}, 2, False, {"un1": 1, "un2": 1}, id="only 2 is completed"),
    ],
)
def test_worked_examples(statuses: Statuses, completed: int, complete: bool, units: Mapping[str, int]) -> None:
    progress = compute_progress(COURSE, statuses)
    assert (progress.completed, progress.required, progress.complete) == (completed, 3, complete)
    assert progress.units == units
    assert progress.content_status == statuses


def test_units_are_left_out_when_they_are_switched_off() -> None:
    assert compute_progress(COURSE, {"r1": 2}, units=False).units == {}


def test_a_course_of_optional_contents_is_complete_at_the_first_event() -> None:
    optional = replace(COURSE, optional_nodes=COURSE.leaf_nodes)
    progress = compute_progress(optional, {"r1": 1})
    assert (progress.completed, progress.required, progress.complete) == (0, 0, True)


def test_a_course_without_leaf_nodes_is_never_complete() -> None:
    unknown = replace(COURSE, leaf_nodes=NONE)
    progress = compute_progress(unknown, {"r1": 2, "r2": 2})
    assert (progress.completed, progress.complete) == (0, False)
    assert progress.units == {"un1": 2}


def test_an_optional_unit_leaves_its_contents_mandatory() -> None:
    optional_unit = replace(COURSE, optional_nodes=frozenset({"un2"}))
    progress = compute_progress(optional_unit, {"r1": 2, "r2": 2, "r3": 2})
    assert (progress.required, progress.complete) == (4, False)


@pytest.mark.parametrize("leaves", [{}, {"un2": NONE}])
def test_a_unit_without_leaf_set_is_left_out(leaves: Mapping[str, frozenset[str]]) -> None:
    gap = replace(COURSE, unit_leaf_nodes={"un1": COURSE.unit_leaf_nodes["un1"], **leaves})
    assert compute_progress(gap, {"r1": 2, "r3": 2}).units == {"un1": 1}


def test_a_unit_of_optional_contents_counts_zero() -> None:
    optional = replace(COURSE, unit_optional_nodes={"un2": frozenset({"r3", "r4"})})
    assert compute_progress(optional, {"r3": 2}).units == {"un2": 0}


def test_a_content_optional_in_one_unit_counts_in_the_other() -> None:
    shared = replace(
        COURSE,
        optional_nodes=frozenset({"r2"}),
        ancestors={"r2": frozenset({"un1", "un2", "do_c1"})},
        unit_leaf_nodes={"un1": frozenset({"r1", "r2"}), "un2": frozenset({"r2", "r3"})},
        unit_optional_nodes={"un1": frozenset({"r2"})},
    )
    progress = compute_progress(shared, {"r2": 2})
    assert (progress.completed, progress.units) == (0, {"un1": 0, "un2": 1})


def test_the_result_does_not_follow_later_changes_of_the_statuses() -> None:
    statuses = {"r1": 2}
    progress = compute_progress(COURSE, statuses)
    statuses["r1"] = 0
    assert progress.content_status == {"r1": 2}
