"""The stream is cut into whole fields, wherever it was cut before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.demo.servers.redis_frames import CommandFrames


def _pieces(fields: list[bytes]) -> list[bytes]:
    return [b"*%d\r\n" % len(fields), *(b"$%d\r\n%s\r\n" % (len(each), each) for each in fields)]


@given(st.lists(st.lists(st.binary(max_size=30), min_size=1, max_size=4), max_size=6), st.data())
def test_whole_fields_come_out_however_they_arrive(commands: list[list[bytes]], data: st.DataObject) -> None:
    expected = [piece for fields in commands for piece in _pieces(fields)]
    stream = b"".join(expected)
    frames, out, position = CommandFrames(), [], 0
    while position < len(stream):
        size = data.draw(st.integers(1, 20))
        out += list(frames.feed(stream[position : position + size]))
        position += size
    assert out == expected


@pytest.mark.parametrize("text", [b"PING\r\n", b"*x\r\n", b"*1\r\nPING\r\n", b"*1\r\n$-1\r\n", b"x" * 40])
def test_what_is_no_command_comes_out_as_it_is(text: bytes) -> None:
    assert b"".join(CommandFrames().feed(text)) == text


def test_half_a_field_waits() -> None:
    frames = CommandFrames()
    assert list(frames.feed(b"*1\r\n$4\r\nPI")) == [b"*1\r\n"]
    assert list(frames.feed(b"NG\r\n*1\r")) == [b"$4\r\nPING\r\n"]
