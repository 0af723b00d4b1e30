"""What is decided of an enrolment at once, for events and for reconciliation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.progress.rules.content_counts import StoredContent
from lern_tasks.jobs.progress.rules.decision import ProgressDecision, ProgressInputs, decide_progress
from lern_tasks.jobs.progress.rules.enrolment_row import StoredEnrolment
from lern_tasks.sunbird.course_relations import CourseRelations
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

KEY = EnrolmentKey(user_id="u1", course_id="do_c1", batch_id="b1")
NOW = datetime(2024, 3, 1, 10, tzinfo=UTC)
DONE = StoredContent(status=2, view_count=1, completed_count=1)
LEAVES = ("r1", "r2", "r3", "r4")


def relations(*, optional: frozenset[str] = frozenset({"r4"}), leaves: frozenset[str] | None = None) -> CourseRelations:
    return CourseRelations(
        course_id="do_c1",
        leaf_nodes=frozenset(LEAVES) if leaves is None else leaves,
        optional_nodes=optional,
        ancestors={},
        unit_leaf_nodes={},
        unit_optional_nodes={},
    )


def row(status: int | None, *issued: str) -> StoredEnrolment:
    return StoredEnrolment(exists=True, active=True, status=status, completed_on=None, issued_names=issued)


def decide(stored: Mapping[str, StoredContent], enrolment: StoredEnrolment, **inputs: Any) -> ProgressDecision:
    """Decide a reconciliation, or with `reconciling=False` an event."""
    fields: dict[str, Any] = {
        "completed": frozenset(),
        "fresh": frozenset(),
        "pending": {},
        "relations": relations(),
        "retired": False,
        "reconciling": True,
        "delivered_before": False,
        **inputs,
    }
    found = ProgressInputs(key=KEY, stored=stored, row=enrolment, **fields)
    return decide_progress(found, now=NOW, filter_processed=True, units=True)


def test_a_reconciliation_counts_nothing_and_tells_nothing_of_contents() -> None:
    unseen = StoredContent(status=2, view_count=None, completed_count=None)
    decision = decide({"r1": unseen}, row(0))
    assert decision.update is not None
    assert (decision.update.status, decision.update.progress) == (1, 1)
    assert not any(merged.counts_changed or merged.actions for merged in decision.merged.values())
    assert (decision.pending, decision.content_audits, decision.completion_audit) == ({}, (), False)


@pytest.mark.parametrize(
    ("enrolment", "reconciling", "before", "certificate", "audit"),
    [
        (row(1), True, False, True, True),
        (row(2), True, False, True, False),
        (row(2, "merit"), True, False, True, False),
        (row(2, "merit"), False, False, False, False),
        (row(2, "merit"), True, True, True, True),
        (row(2, "merit"), False, True, True, True),
    ],
)
def test_what_follows_a_complete_enrolment(
    enrolment: StoredEnrolment, reconciling: bool, before: bool, certificate: bool, audit: bool
) -> None:
    stored = dict.fromkeys(("r1", "r2", "r3"), DONE)
    decision = decide(stored, enrolment, reconciling=reconciling, delivered_before=before)
    assert (decision.certificate, decision.completion_audit) == (certificate, audit)


@pytest.mark.parametrize("status", [0, 2])
def test_nothing_stored_says_nothing_even_where_nothing_is_required(status: int) -> None:
    optional = relations(optional=frozenset(LEAVES))
    decision = decide({}, row(status), relations=optional, delivered_before=True)
    assert (decision.progress, decision.update, decision.certificate, decision.completion_audit) == (
        None,
        None,
        False,
        False,
    )
    # An event without a content that counts is computed all the same.
    assert decide({}, row(status), relations=optional, reconciling=False).progress is not None


def test_a_course_with_nothing_mandatory_is_complete_as_soon_as_something_is_stored() -> None:
    stored = {"r1": StoredContent(status=1, view_count=1, completed_count=0)}
    decision = decide(stored, row(0), relations=relations(optional=frozenset(LEAVES)))
    assert decision.update is not None
    assert (decision.update.status, decision.update.progress, decision.certificate) == (2, 0, True)


@pytest.mark.parametrize("reconciling", [False, True])
def test_nothing_is_computed_for_a_retired_course(reconciling: bool) -> None:
    stored, leaves = {"r1": DONE}, relations(leaves=frozenset())
    decision = decide(stored, row(1), relations=leaves, retired=True, reconciling=reconciling)
    assert (decision.progress, decision.update, decision.certificate) == (None, None, False)


contents = st.dictionaries(
    st.sampled_from([*LEAVES, "r9"]),
    st.builds(
        StoredContent,
        status=st.sampled_from([None, 0, 1, 2, 3]),
        view_count=st.none() | st.integers(0, 3),
        completed_count=st.none() | st.integers(0, 3),
    ),
    min_size=1,
)


@given(stored=contents, optional=st.frozensets(st.sampled_from(LEAVES)), status=st.sampled_from([None, 0, 1, 2]))
def test_both_jobs_compute_the_same_from_the_same_rows(
    stored: dict[str, StoredContent], optional: frozenset[str], status: int | None
) -> None:
    found = [
        decide(stored, row(status), relations=relations(optional=optional), reconciling=reconciling)
        for reconciling in (False, True)
    ]
    assert found[0].progress == found[1].progress
    assert found[0].update == found[1].update
    assert found[0].certificate <= found[1].certificate
    assert found[1].update is None or (found[1].update.status == 2) == found[1].certificate
