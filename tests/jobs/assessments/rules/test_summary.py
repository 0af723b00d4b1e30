"""Attempts to scores: the worked example, ties, and properties."""

import json
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.assessments.rules.attempt import StoredAttempt
from lern_tasks.jobs.assessments.rules.summary import Summary, moment_text, stale_figures, summarise
from tests.jobs.assessments.rules.attempts import at, stored

EXAMPLE = [
    stored("do_a", "att-1", 3, 5, 1_700_000_000_000),
    stored("do_a", "att-2", 4, 5, 1_700_000_100_000),
    stored("do_a", "att-3", 4, 10, 1_700_000_050_000),
    stored("do_b", "att-9", 1, 2, 1_700_000_200_000),
]


def of(*attempts: StoredAttempt) -> Summary:
    return summarise(attempts, kind="attempt_metrics")


def test_the_worked_example() -> None:
    summary = of(*EXAMPLE)
    assert summary.figures == {
        "score:do_a": 4.0,
        "max_score:do_a": 5.0,
        "attempts_count:do_a": 3.0,
        "score:do_b": 1.0,
        "max_score:do_b": 2.0,
        "attempts_count:do_b": 1.0,
    }
    assert all(isinstance(value, float) for value in summary.figures.values())
    assert summary.latest_attempt == ""
    assert [json.loads(text)["attempt_id"] for text in summary.details] == ["att-1", "att-2", "att-3", "att-9"]


def test_with_one_content_the_latest_attempt_is_named() -> None:
    assert of(*EXAMPLE[:3]).latest_attempt == "att-2"


def test_a_detail_is_the_documented_text() -> None:
    moment = datetime(2023, 11, 14, 22, 15, 0, 999_000, tzinfo=UTC)
    (detail,) = of(stored("do_a", "att-2", 4, 5, int(moment.timestamp() * 1000))).details
    assert detail == (
        '{"attempt_id":"att-2","last_attempted_on":"Nov 14, 2023, 10:15:00 PM","score":4.0,'
        '"content_id":"do_a","max_score":5.0,"type":"attempt_metrics"}'
    )


def test_a_detail_without_time_has_no_time_and_ids_with_quotes_stay_json() -> None:
    (detail,) = of(stored('do_"a', "att-é", 4, 5, None)).details
    assert json.loads(detail) == {
        "attempt_id": "att-é",
        "score": 4.0,
        "content_id": 'do_"a',
        "max_score": 5.0,
        "type": "attempt_metrics",
    }
    assert "é" in detail


def test_without_attempts_there_is_nothing() -> None:
    assert of() == Summary(figures={}, details=[], latest_attempt="")


def test_the_maximum_is_that_of_the_best_attempt_and_the_first_of_a_tie_is_best() -> None:
    rows = [stored("do_a", "att-2", 4, 10, 2), stored("do_a", "att-1", 4, 5, 1), stored("do_a", "att-3", 3, 99, 3)]
    assert of(*rows).figures["max_score:do_a"] == 5.0


def test_a_maximum_of_0_is_kept() -> None:
    assert of(stored("do_a", "att-1", 0, 0, 1)).figures["max_score:do_a"] == 0.0


@pytest.mark.parametrize(
    ("times", "latest"),
    [
        ((1_000, 1_999, 1_500), "att-2"),
        ((1_000, 1_000, 999), "att-1"),
        ((None, 1, None), "att-2"),
        ((None, None, None), "att-1"),
    ],
    ids=["milliseconds count", "the first of a tie", "without time is oldest", "no times at all"],
)
def test_the_latest_attempt_by_the_real_time(times: tuple[int | None, ...], latest: str) -> None:
    rows = [stored("do_a", f"att-{number}", 1, 1, ets) for number, ets in enumerate(times, start=1)]
    assert of(*reversed(rows)).latest_attempt == latest


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2023, 11, 14, 22, 15, 0, tzinfo=UTC), "Nov 14, 2023, 10:15:00 PM"),
        (datetime(2024, 1, 5, 0, 0, 9, tzinfo=UTC), "Jan 5, 2024, 12:00:09 AM"),
        (datetime(2024, 6, 30, 12, 59, 59, 999_999, tzinfo=UTC), "Jun 30, 2024, 12:59:59 PM"),
        (datetime(2024, 5, 1, 1, 2, 3, tzinfo=timezone(timedelta(hours=5, minutes=30))), "Apr 30, 2024, 7:32:03 PM"),
    ],
)
def test_a_moment_as_text(moment: datetime, text: str) -> None:
    assert moment_text(moment) == text


def test_a_moment_as_text_in_any_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for zone in ("Asia/Kolkata", "America/New_York", "UTC"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert moment_text(at(1_700_000_000_000)) == "Nov 14, 2023, 10:13:20 PM"
    monkeypatch.undo()
    time.tzset()


def test_what_is_stale() -> None:
    names = {*of(*EXAMPLE).figures, "completedCount", "score", "scores:do_a", "progress"}
    summary = of(*EXAMPLE[:3])
    assert stale_figures(names, summary) == {"score:do_b", "max_score:do_b", "attempts_count:do_b"}


rows = st.lists(
    st.builds(
        stored,
        st.sampled_from(["do_a", "do_b"]),
        st.sampled_from(["att-1", "att-2", "att-3", "att-4"]),
        st.integers(0, 4).map(float),
        st.integers(0, 4).map(float),
        st.none() | st.integers(0, 2_000),
    ),
    max_size=8,
    unique_by=lambda row: row.id,
)


@given(attempts=rows, data=st.data())
def test_a_summary_does_not_depend_on_the_order_of_the_rows(attempts: list[StoredAttempt], data: st.DataObject) -> None:
    summary = of(*attempts)
    assert of(*data.draw(st.permutations(attempts))) == summary
    contents = {row.id.content_id for row in attempts}
    assert set(summary.figures) == {
        f"{name}:{content}" for name in ("score", "max_score", "attempts_count") for content in contents
    }
    for content in contents:
        own = [row for row in attempts if row.id.content_id == content]
        assert summary.figures[f"score:{content}"] == max(row.score.total for row in own)
        assert summary.figures[f"attempts_count:{content}"] == len(own)
        best = {(row.score.total, row.score.maximum) for row in own}
        assert (summary.figures[f"score:{content}"], summary.figures[f"max_score:{content}"]) in best
    assert len(summary.details) == len(attempts)
    assert bool(summary.latest_attempt) == (len(contents) == 1)
    assert stale_figures(summary.figures, summary) == frozenset()
