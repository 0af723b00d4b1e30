"""The command that mends what a dead letter is about. See docs/operations.md, "What mends a dead letter"."""

import shlex

from lern_tasks.catalogue import ROWS
from lern_tasks.cli.dead_letters.stored import StoredDeadLetter
from lern_tasks.delivery.subject import Subject

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
        instead = _filled(_WHOSE if row.anew else row.instead, dead_letter.subject)
        if not row.anew or not instead:
            return instead
    command = ["lern", "dead-letters", "replay", "--letter", where.topic, str(where.partition), str(where.offset)]
    return shlex.join([*command, "--again"] if replayed else command)


def _filled(command: str, subject: Subject) -> str:
    """The command with the ids of the event; empty when it lacks one of them."""
    user = subject.users[0] if len(subject.users) == 1 else ""
    ids = {"userId": user, "courseId": subject.course, "batchId": subject.batch}
    if any(name in command and not found.strip() for name, found in ids.items()):
        return ""
    return command.format_map({name: shlex.quote(found) for name, found in ids.items()})
