"""Insert, replace or leave: the worked example, and events of one attempt in any order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.assessments.rules.attempt import (
    ACCEPTED,
    AttemptId,
    StoredAttempt,
    Submission,
    Verdict,
    decide_attempts,
    rows_after,
)
from tests.jobs.assessments.rules.attempts import answer, at, stored, submission

NOW = at(1_700_000_900_000)


def table(*rows: StoredAttempt) -> dict[AttemptId, StoredAttempt]:
    return {row.id: row for row in rows}


@pytest.mark.parametrize(
    ("ets", "verdict"),
    [(1_699_999_999_999, "older"), (1_700_000_000_000, "same"), (1_700_000_000_001, "newer")],
)
def test_the_worked_example(ets: int, verdict: Verdict) -> None:
    rows = table(stored("do_a", "att-1", 1, 1, 1_700_000_000_000))
    found = decide_attempts(rows, [submission("att-1", ets)], now=NOW)
    assert found.verdicts == [verdict]
    assert len(found.writes) == (verdict == "newer")


def test_a_new_attempt_is_created_now_and_a_replaced_one_keeps_its_time() -> None:
    new, replaced = submission("att-2", 5), submission("att-1", 5)
    found = decide_attempts(table(stored("do_a", "att-1", 1, 1, 4, created=3)), [new, replaced], now=NOW)
    assert found.verdicts == ["new", "newer"]
    assert [found.writes[each.id].created_on for each in (new, replaced)] == [NOW, None]
    rows = rows_after(table(stored("do_a", "att-1", 1, 1, 4, created=3)), found.writes)
    assert {row.id.attempt_id: row.created_on for row in rows.values()} == {"att-1": at(3), "att-2": NOW}


@pytest.mark.parametrize(("ets", "created"), [(None, 0), (5, None), (None, None)])
def test_a_row_without_times_can_not_be_compared(ets: int | None, created: int | None) -> None:
    found = decide_attempts(
        table(stored("do_a", "att-1", 1, 1, ets, created=created)), [submission("att-1", 9)], now=NOW
    )
    assert (found.verdicts, found.writes) == (["unreadable"], {})


def test_a_newer_version_with_fewer_questions_erases_the_others() -> None:
    whole = submission("att-1", 1, answer("q1", 1, 1, 1), answer("q2", 1, 1, 1))
    part = submission("att-1", 2, answer("q2", 2, 1, 0))
    (write,) = decide_attempts({}, [whole, part], now=NOW).writes.values()
    assert [each.question_id for each in write.submission.answers] == ["q2"]
    assert write.submission.score.text == "0.0/1.0"


def submissions() -> st.SearchStrategy[list[Submission]]:
    """Versions of two attempts; equal times have different scores, so that it shows which was applied."""
    numbered = st.lists(st.tuples(st.sampled_from(["att-1", "att-2"]), st.integers(1, 4)), max_size=8)
    return numbered.map(
        lambda pairs: [
            submission(attempt, ets, answer("q1", 1, 9, number)) for number, (attempt, ets) in enumerate(pairs)
        ]
    )


@given(before=st.none() | st.integers(1, 4), arriving=submissions())
def test_together_is_as_one_by_one(before: int | None, arriving: list[Submission]) -> None:
    rows = {} if before is None else table(stored("do_a", "att-1", 7, 9, before))
    together = decide_attempts(rows, arriving, now=NOW)
    one_by_one = rows
    verdicts: list[Verdict] = []
    for each in arriving:
        step = decide_attempts(one_by_one, [each], now=NOW)
        verdicts += step.verdicts
        one_by_one = rows_after(one_by_one, step.writes)
    assert rows_after(rows, together.writes) == one_by_one
    # Within a message the first version is new and the next newer, as one by one.
    assert [verdict in ACCEPTED for verdict in together.verdicts] == [verdict in ACCEPTED for verdict in verdicts]
    assert together.verdicts == verdicts


@given(arriving=submissions(), data=st.data())
def test_the_latest_version_stays_in_any_order_and_doubled(arriving: list[Submission], data: st.DataObject) -> None:
    order = data.draw(
        st.permutations(arriving + data.draw(st.lists(st.sampled_from(arriving or [submission("x", 1)]))))
    )
    rows = rows_after({}, decide_attempts({}, order, now=NOW).writes)
    for attempt, row in rows.items():
        versions = [each for each in order if each.id == attempt]
        latest = max(each.attempted_on for each in versions)
        first = next(each for each in versions if each.attempted_on == latest)
        assert (row.attempted_on, row.score) == (latest, first.score)
        assert row.created_on == NOW
