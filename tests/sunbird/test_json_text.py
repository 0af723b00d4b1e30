"""Reading JSON that strangers wrote."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.connections.json_values import DEEPEST
from lern_tasks.errors import InvalidEvent
from lern_tasks.sunbird.json_text import decode_object, json_type


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(r'{"a": "x\q"}', "xq", id="needless backslash"),
        pytest.param(r'{"a": "x\d\é\😀"}', "xdé😀", id="several, and beyond ASCII"),
        pytest.param(r'{"a": "\q\\d\n\"\/"}', 'q\\d\n"/', id="beside real escapes"),
        pytest.param(r'{"a": "\u0041\q"}', "Aq", id="beside a code point"),
        pytest.param(r'{"a": "\u12"}', "u12", id="no code point after all"),
        pytest.param('{"a": "x\\\ny"}', "x\ny", id="before a line end"),
        pytest.param(r'{"a": "\ud83d\ude00"}', "😀", id="a pair of surrogates"),
    ],
)
def test_backslashes(text: str, value: str) -> None:
    assert decode_object(text, "the event") == {"a": value}


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "not json",
        '{"a": 1',
        '{"a": 1} x',
        '{"a": "line\nend"}',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": 1e999}',
        "{'a': 1}",
        '{"a": "\\',
        '\ufeff{"a": 1}',
        r'{"a": "\ud800"}',
        r'{"a": "\udc00x\q"}',
        '{"a": "\ud800"}',
        "\0",
        "[" * 1_000_000,
        '{"a":' * 1_000_000,
        '{"a": ' + "9" * 1_000_000 + "}",
        "\\" * 1_000_001,
    ],
    ids=lambda text: ascii(text[:24]),
)
def test_what_cannot_be_read_is_invalid(text: str) -> None:
    with pytest.raises(InvalidEvent, match="the event is not JSON") as caught:
        decode_object(text, "the event")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("neighbours", ["", '"b": [[], {}, "["], '])
def test_the_depth_that_is_read_is_ours(opening: str, neighbours: str) -> None:
    """Not Python's, which differs from version to version: the same event is read, or a dead letter, everywhere."""

    def nested(levels: int) -> str:
        closing = "]" if opening == "[" else "}"
        return f'{{{neighbours}"a": {opening * levels}{"" if opening == "[" else 0}{closing * levels}}}'

    decode_object(nested(DEEPEST - 1), "the event")
    for levels in (DEEPEST, 5_000, 100_000):
        with pytest.raises(InvalidEvent, match="nested too deeply"):
            decode_object(nested(levels), "the event")


def test_a_wide_text_is_not_a_deep_one() -> None:
    assert decode_object('{"a": [' + "[[]]," * DEEPEST + '"["]}', "the event")["a"][-1] == "["


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("null", "null"),
        ("true", "true or false"),
        ('"x"', "text"),
        ("2", "a number"),
        ("2.5", "a number"),
        ("[]", "a list"),
        ("9" * 300, "a number"),
    ],
)
def test_what_is_no_object_is_invalid(text: str, kind: str) -> None:
    with pytest.raises(InvalidEvent, match=f"must be a JSON object, not {kind}"):
        decode_object(text, "the event")


def test_an_object_is_an_object() -> None:
    assert json_type({}) == "an object"


def test_messages_do_not_repeat_what_was_sent() -> None:
    with pytest.raises(InvalidEvent) as caught:
        decode_object('{"phone": "98765", \ud800', "the event")
    assert "98765" not in str(caught.value)


@given(text=st.text())
def test_any_text_is_read_or_invalid(text: str) -> None:
    with suppress(InvalidEvent):
        assert isinstance(decode_object(text, "the event"), dict)


@given(
    value=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.text(st.characters(exclude_categories=["Cs"]))
        | st.integers(-(2**63), 2**64 - 1)
        | st.booleans()
        | st.none(),
    ),
    ascii_only=st.booleans(),
)
def test_valid_json_is_read_as_it_is(value: dict[str, Any], ascii_only: bool) -> None:
    assert decode_object(json.dumps(value, ensure_ascii=ascii_only), "the event") == value
