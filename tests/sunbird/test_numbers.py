"""What counts as a number."""

from typing import Any

import pytest

from lern_tasks.sunbird.numbers import number_of


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        (5.0, 5),
        (0, 0),
        (-1.5, -1.5),
        ("5", 5),
        (" 1.5 ", 1.5),
        ("1e2", 100),
        (".5", 0.5),
        ("+2.", 2),
        ("-0", 0),
    ],
)
def test_numbers_and_texts_that_are_numbers(value: Any, number: float) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize(
    "value",
    [None, True, False, "", " ", "five", "NaN", "Infinity", "-inf", "1_0", "0x1", "1,5", "٣", "1e999", 10**400, [], {}],
    ids=lambda value: repr(value)[:20],
)
def test_anything_else_is_none(value: Any) -> None:
    assert number_of(value) is None
