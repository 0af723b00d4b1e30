"""The command that mends what a dead letter is about. See docs/operations.md, "What mends a dead letter"."""

import shlex
from typing import Any

import msgspec

from lern_tasks.catalogue import ROWS
from lern_tasks.cli.dead_letters.stored import StoredDeadLetter

_WHOSE = "{userId} {courseId} {batchId}"
"""What an event must say for its certificate to be asked for anew."""


def remedy(dead_letter: StoredDeadLetter, *, replayed: bool = False) -> str:
    """The command to give once the cause is mended; empty where only what sends the event can mend it.

    `replayed`: the letter was replayed before.
    """
    failure, where = dead_letter.failure, dead_letter.message
    row = None if failure is None else next((row for row in ROWS.values() if row.name == failure.job), None)
    if failure is None or row is None:
        return ""
    if failure.unreadable:
        instead = _filled(_WHOSE if row.anew else row.instead, where.value)
        if not row.anew or not instead:
            return instead
    command = ["lern", "dead-letters", "replay", "--letter", where.topic, str(where.partition), str(where.offset)]
    return shlex.join([*command, "--again"] if replayed else command)


def _filled(command: str, value: bytes | None) -> str:
    """The command with the ids that the event has; empty when it lacks one of them."""
    try:
        return command.format_map(_Ids(value)) if "{" in command else command
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return ""


class _Ids(dict[str, str]):
    """The ids of an event, or of what it is related to, as words of a command."""

    def __init__(self, value: bytes | None) -> None:
        data: Any = msgspec.json.decode(value or b"null")["edata"]
        related = data.get("related") if isinstance(data, dict) else None
        for found in (related, data):
            if isinstance(found, dict):
                self.update({name: shlex.quote(id_) for name, id_ in found.items() if _is_id(id_)})


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
