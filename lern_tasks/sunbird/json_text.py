"""From text to JSON values, for texts that strangers wrote. See docs/architecture.md, section "Failure"."""

import re
from typing import Any

import msgspec

from lern_tasks.connections.json_values import check_depth
from lern_tasks.errors import InvalidEvent

# A backslash with what it escapes: either an escape of JSON (kept) or any other character.
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt]|u[0-9a-fA-F]{4})|(.))', re.DOTALL)


def decode_object(text: str, what: str) -> dict[str, Any]:
    """Decode a JSON object; `what` names the text in the messages.

    Some writers put a backslash before characters that need none (`\\q` for `q`), which the Flink jobs accepted: where
    the strict reading fails such escapes are resolved. Raises InvalidEvent for anything that is no JSON object,
    numbers too great to hold, characters that UTF-8 cannot hold, and more levels than are read.
    """
    try:
        value = _decode(text)
        check_depth(text, value)
    except (ValueError, RecursionError) as error:
        raise InvalidEvent(f"{what} is not JSON that can be read: {_reason(error)}; correct what sends it") from None
    if not isinstance(value, dict):
        raise InvalidEvent(f"{what} must be a JSON object, not {json_type(value)}; correct what sends it")
    return value


def json_type(value: object) -> str:
    """What a JSON value is, in words for a message; never the value itself, which may be personal."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"


def _decode(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except ValueError:
        if "\\" not in text:
            raise
        return msgspec.json.decode(_ESCAPE.sub(_resolved, text))


def _resolved(match: re.Match[str]) -> str:
    needless: str | None = match.group(2)
    if needless is None:
        return match.group(0)
    # A control character may not stand in a JSON text by itself.
    return needless if needless >= " " else f"\\u{ord(needless):04x}"


def _reason(error: Exception) -> str:
    """The decoder's words, or ours where its own would print the text (which may be personal)."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeError):
        return "it has characters that UTF-8 cannot hold"
    return str(error)
