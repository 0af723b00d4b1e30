"""How values become the text that the user cache holds."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.jobs.users.rules.text import escaped, json_text, stored

JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=9),
    lambda more: st.lists(more, max_size=3) | st.dictionaries(st.text(max_size=3), more, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("[RPM] HIGH", r"\[RPM\] HIGH"),
        (["Hindi", "Urdu"], '["Hindi","Urdu"]'),
        (None, ""),
        ("", ""),
        ([], "[]"),
        ({"b": [1], "a": None}, '{"a":null,"b":[1]}'),
        (["A & B", "<x>", "कक्षा"], '["A & B","<x>","कक्षा"]'),
        (["[x]"], '["[x]"]'),
        (5, "5"),
        (True, "true"),
    ],
)
def test_worked_examples(value: Any, text: str) -> None:
    assert stored(value) == text


@given(st.text())
def test_escaped_text_never_looks_like_json_and_comes_back(text: str) -> None:
    cached = escaped(text)
    assert not cached.strip().startswith("[")
    assert cached.replace(r"\[", "[").replace(r"\]", "]") == text


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items()}
    return [without_nulls(one) for one in value if one is not None] if isinstance(value, list) else value


def test_nulls_in_lists_are_left_out() -> None:
    assert stored(["a", None, ["b", None], {"c": [None]}]) == '["a",["b"],{"c":[]}]'


@given(JSON)
def test_json_comes_back(value: Any) -> None:
    kept = without_nulls(value)
    assert json.loads(json_text(value)) == kept
    listed = escaped(json_text([value]))
    assert listed.startswith(r"\[")
    assert json.loads(listed.replace(r"\[", "[").replace(r"\]", "]")) == without_nulls([value])


@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=5), st.randoms())
def test_the_same_value_is_the_same_text(value: dict[str, int], random: Any) -> None:
    names = list(value)
    random.shuffle(names)
    assert json_text({name: value[name] for name in names}) == json_text(value)


@pytest.mark.parametrize("value", ["\ud800", ["\ud800"], {"\ud800": 1}])
def test_half_characters_are_replaced(value: Any) -> None:
    assert "?" in stored(value)
