"""Merging completed contents into what is stored of them."""

import pytest

from lern_tasks.jobs.progress.rules.content_counts import (
    Counts,
    MergedContent,
    PendingCounts,
    StoredContent,
    dedup_checksum,
    merge_consumption,
)
from lern_tasks.sunbird.audit_event import Action


def stored(status: int | None, view: int | None, completed: int | None) -> StoredContent:
    return StoredContent(status=status, view_count=view, completed_count=completed)


def counts(view: int, completed: int) -> Counts:
    return Counts(view=view, completed=completed)


def merge_r1(row: StoredContent | None, *, fresh: bool = True, before: PendingCounts | None = None) -> MergedContent:
    merged = merge_consumption(
        {} if row is None else {"r1": row},
        {"r1": 2},
        frozenset({"r1"} if fresh else ()),
        {} if before is None else {"r1": before},
    )
    return merged["r1"]


@pytest.mark.parametrize(
    ("row", "view", "completed", "actions"),
    [
        pytest.param(None, 1, 1, ("start", "complete"), id="no row"),
        pytest.param(stored(2, None, None), 1, 1, ("start", "complete"), id="row without counters"),
        pytest.param(stored(1, 3, 0), 4, 1, ("complete",), id="viewed before"),
        pytest.param(stored(2, 3, 1), 4, 2, (), id="completed before"),
        pytest.param(stored(None, None, None), 1, 1, ("start", "complete"), id="row without anything"),
        pytest.param(stored(1, 0, 2), 1, 3, ("start",), id="completed, never viewed"),
    ],
)
def test_a_fresh_completion_counts_once(
    row: StoredContent | None, view: int, completed: int, actions: tuple[Action, ...]
) -> None:
    merged = merge_r1(row)
    assert merged.status == 2
    assert merged.counts == counts(view, completed)
    assert merged.counts_changed
    assert merged.actions == actions
    assert merged.pending == PendingCounts(base=counts(view - 1, completed - 1), intended=counts(view, completed))


@pytest.mark.parametrize(
    ("row", "status"),
    [
        pytest.param(stored(None, None, None), 1, id="nothing known: started"),
        pytest.param(stored(None, 4, 0), 1, id="viewed only: started"),
        pytest.param(stored(None, 1, 1), 2, id="counted as completed before its status was stored"),
        pytest.param(stored(1, 3, 1), 2, id="counted as completed, its status still the old one"),
        pytest.param(stored(1, 3, 0), 1, id="started"),
        pytest.param(stored(2, 5, 2), 2, id="completed"),
        pytest.param(stored(0, None, None), 0, id="not started"),
        pytest.param(stored(3, None, None), 3, id="above 2 stays, and is not completed"),
    ],
)
def test_a_content_that_no_event_names_is_carried_over_and_not_written(row: StoredContent, status: int) -> None:
    merged = merge_consumption({"r2": row}, {"r1": 2}, frozenset({"r1"}), {})["r2"]
    assert merged.status == status
    assert not merged.counts_changed
    assert merged.actions == ()
    assert merged.pending is None


@pytest.mark.parametrize("row", [None, stored(None, None, None), stored(1, 3, 0), stored(2, 3, 1)])
def test_a_content_already_seen_counts_no_more_but_is_completed(row: StoredContent | None) -> None:
    merged = merge_r1(row, fresh=False)
    assert merged.status == 2
    assert not merged.counts_changed
    assert merged.actions == ()
    assert merged.pending is None


@pytest.mark.parametrize(
    ("current", "written", "changed"),
    [
        pytest.param(stored(1, 3, 0), counts(4, 1), True, id="died before the rows"),
        pytest.param(stored(2, 4, 1), counts(4, 1), False, id="died after the rows"),
        pytest.param(stored(2, 6, 1), counts(6, 1), False, id="others wrote since"),
        pytest.param(None, counts(4, 1), True, id="row gone since"),
    ],
)
def test_a_redelivery_writes_what_was_intended_and_repeats_the_audit_decision(
    current: StoredContent | None, written: Counts, changed: bool
) -> None:
    before = PendingCounts(base=counts(3, 0), intended=counts(4, 1))
    merged = merge_r1(current, before=before)
    assert merged.counts == written
    assert merged.counts_changed is changed
    assert merged.actions == ("complete",)
    assert merged.pending == before


def test_pending_of_a_content_that_is_marked_as_seen_is_ignored() -> None:
    before = PendingCounts(base=counts(3, 0), intended=counts(4, 1))
    assert merge_r1(stored(2, 9, 9), fresh=False, before=before).pending is None


def test_all_contents_of_all_events_are_counted_together() -> None:
    merged = merge_consumption({"r1": stored(1, 1, 0)}, {"r1": 2, "r2": 2}, frozenset({"r1", "r2"}), {})
    assert {each: merged[each].counts for each in merged} == {"r1": counts(2, 1), "r2": counts(1, 1)}


def test_an_event_about_a_started_content_is_a_view_and_no_completion() -> None:
    merged = merge_consumption({}, {"r1": 1}, frozenset({"r1"}), {})["r1"]
    assert (merged.status, merged.counts, merged.actions) == (1, counts(1, 0), ("start",))


@pytest.mark.parametrize(("before", "seen", "after"), [(2, 1, 2), (1, 2, 2), (3, 2, 2), (3, 1, 3), (0, 1, 1)])
def test_status_is_the_greater_one_and_a_completion_is_2(before: int, seen: int, after: int) -> None:
    merged = merge_consumption({"r1": stored(before, None, None)}, {"r1": seen}, frozenset(), {})
    assert merged["r1"].status == after


def test_contents_keep_their_own_id() -> None:
    merged = merge_consumption({"r2": stored(2, 1, 1)}, {"r1": 2}, frozenset({"r1"}), {})
    assert {key: content.content_id for key, content in merged.items()} == {"r1": "r1", "r2": "r2"}


@pytest.mark.parametrize(
    ("parts", "checksum"),
    [
        pytest.param(("do_c1", "b1", "u1", "r1", 2), "AF9B745F3F5E088EEEA7CF64CE4B933C", id="documented"),
        pytest.param(("", "", "", "", 2), "1F5C8FFDF417FD85DC5B2394E585E272", id="empty ids"),
    ],
)
def test_checksum_is_the_documented_one(parts: tuple[str, str, str, str, int], checksum: str) -> None:
    assert dedup_checksum(*parts) == checksum


def test_checksum_takes_ids_in_other_scripts() -> None:
    assert dedup_checksum("डू", "b1", "u1", "r1", 2) != dedup_checksum("do", "b1", "u1", "r1", 2)
