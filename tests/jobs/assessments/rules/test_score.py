"""Answers to a score: the worked examples, and properties."""

import locale
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.assessments.rules.score import Answer, Score, latest_answers, points_text, score_of
from tests.jobs.assessments.rules.attempts import answer

EXAMPLE = [
    answer("q1", 1_700_000_010_000, 2, 0),
    answer("q2", 1_700_000_020_000, 1, 0.33),
    answer("q1", 1_700_000_030_000, 2, 2),
    answer("q3", 1_700_000_040_000, 1, 0),
    answer("q3", 1_700_000_040_000, 1, 1),
]


def test_the_worked_example() -> None:
    kept = latest_answers(EXAMPLE)
    assert set(map(id, kept)) == {id(EXAMPLE[1]), id(EXAMPLE[2]), id(EXAMPLE[3])}
    score = score_of(kept)
    assert score.total == pytest.approx(2.33, abs=1e-9)
    assert score.maximum == 4.0
    assert score.text == "2.33/4.0"


def test_the_latest_answer_counts_even_if_an_earlier_one_scored_more() -> None:
    assert score_of(latest_answers([answer("q1", 2, 1, 0), answer("q1", 1, 1, 1)])).total == 0


def test_answers_without_question_are_of_one_question() -> None:
    kept = latest_answers([answer(None, 1, 1, 1), answer("q1", 1, 1, 1), answer(None, 2, 1, 0)])
    assert [(each.question_id, each.score) for each in kept] == [(None, 0), ("q1", 1)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0"),
        (2, "2.0"),
        (1.33, "1.33"),
        (0.1 + 0.2, "0.3"),
        (10, "10.0"),
        (2.375, "2.38"),
        (2.125, "2.12"),
        (1.005, "1.0"),
        (2.675, "2.67"),
        (1234.5, "1234.5"),
        (0.004, "0.0"),
        (-1.5, "-1.5"),
        (1e21, "1000000000000000000000.0"),
    ],
)
def test_points_as_text(value: float, text: str) -> None:
    assert points_text(value) == text


def test_points_have_a_dot_in_every_language() -> None:
    before = locale.setlocale(locale.LC_ALL)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_ALL, name)
            except locale.Error:
                continue
            assert points_text(1234.5) == "1234.5"
    finally:
        locale.setlocale(locale.LC_ALL, before)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_points_are_rounded_half_even_on_the_exact_binary_value(value: float) -> None:
    exact = Decimal(value).quantize(Decimal("0.01"), context=Context(prec=400, rounding=ROUND_HALF_EVEN))
    assert points_text(value) in (f"{exact:f}", f"{exact:f}"[:-1])
    assert len(points_text(value).partition(".")[2]) in (1, 2)
    assert Decimal(points_text(value)) == exact


def answers() -> st.SearchStrategy[list[Answer]]:
    one = st.builds(
        answer,
        st.sampled_from(["q1", "q2", "q3", None]),
        st.integers(0, 3),
        st.integers(0, 5).map(float),
        st.integers(0, 5).map(float),
    )
    return st.lists(one, max_size=12)


@given(answers())
def test_one_answer_a_question_is_kept_and_none_is_later(given_answers: list[Answer]) -> None:
    kept = latest_answers(given_answers)
    ids = [each.question_id for each in kept]
    assert len(ids) == len(set(ids)) == len({each.question_id for each in given_answers})
    for each in kept:
        same = [other for other in given_answers if other.question_id == each.question_id]
        assert each is next(other for other in same if other.answered_at == max(o.answered_at for o in same))
    assert latest_answers(kept) == kept
    assert score_of(kept) == Score(total=sum(a.score for a in kept), maximum=sum(a.max_score for a in kept))
