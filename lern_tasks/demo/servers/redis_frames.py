"""Commands cut out of a stream of bytes. See docs/architecture.md, section "Embedded"."""

import re
from collections.abc import Iterator

_COUNT = re.compile(rb"\*\d{1,19}\r\n")
_FIELD = re.compile(rb"\$(\d{1,19})\r\n")
# The longest header: a sign, 19 digits, the end of the line. If that many bytes do not make one, no more will.
_HEADER_BYTES = 22


class CommandFrames:
    """Cuts what a Redis client sends into headers and whole fields, in time linear to its size.

    fakeredis copies all that it holds for each field of a command and acts once the last is there: piece by piece,
    large commands cost no more than their size, and no command is held up by one that came with it and blocks.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take what arrived; yield each piece that is whole, as it came, and what is no command as it is."""
        self._buffer += data
        taken = 0
        try:
            while taken < len(self._buffer) and (end := self._end_of_piece(taken)):
                piece = bytes(self._buffer[taken:end])
                taken = end
                yield piece
        finally:
            del self._buffer[:taken]

    def _end_of_piece(self, start: int) -> int:
        """Where the piece ends that starts here; 0 if it is not all there."""
        count = _COUNT.match(self._buffer, start)
        if count is not None:
            return count.end()
        field = _FIELD.match(self._buffer, start)
        if field is not None:
            end = field.end() + int(field[1]) + 2
            return end if end <= len(self._buffer) else 0
        head = self._buffer[start : start + _HEADER_BYTES]
        return len(self._buffer) if b"\n" in head or len(head) == _HEADER_BYTES else 0
