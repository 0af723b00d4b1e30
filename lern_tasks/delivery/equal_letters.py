"""Equal dead letters of what was only asked for: one letter, and how often it came.

See docs/operations.md, "Equal letters".
"""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec

from lern_tasks.catalogue import ROWS
from lern_tasks.connections.redis import Client, translated
from lern_tasks.delivery.dead_letter import DeadLetter, Failure
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.subject import subject_of
from lern_tasks.errors import LernError

_KEPT = 86_400
"""Seconds: a day. Shorter than any failed topic keeps its records, so that the letter which stands for others is there;
long enough for somebody who asks the same question again and again."""

_COUNT = "return redis.call('EXISTS', KEYS[1]) == 1 and redis.call('INCR', KEYS[1])"
"""Counts only while it is known, and makes that last no longer: the letter itself may be gone by then."""


def letter_key(failure: Failure, record: Record) -> str | None:
    """What equal letters have in common: job, cause and what was asked for. None where each letter stands alone, also
    where the event does not say whose enrolment it is about.

    Only `edata` tells events apart that ask for something; time and id of the event are new each time.
    """
    if not any(row.asks for row in ROWS.values() if row.name == failure.job):
        return None
    subject = subject_of(record.text)
    if not (subject.users and subject.course and subject.batch):
        return None
    try:
        edata = msgspec.json.decode(record.text or "null")["edata"]
        what = msgspec.json.encode([failure.job, failure.code, failure.error, edata], order="sorted")
    except (msgspec.MsgspecError, ValueError, RecursionError, KeyError, TypeError):
        return None
    return f"lern:letter:{hashlib.sha256(what).hexdigest()[:32]}"


class EqualLetters:
    """How often equal letters came, by `letter_key`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def came_before(self, letter: DeadLetter) -> bool:
        """Whether an equal letter was published lately; then this one is counted, and need not be published.

        Raises nothing: in doubt it did not, since a letter too many is better than one too few.
        """
        key = letter_key(letter.failure, letter.record)
        with suppress(LernError), translated():
            return key is not None and bool(self._client.eval(_COUNT, 1, key))
        return False

    def published(self, letters: Iterable[DeadLetter]) -> None:
        """Remember letters that are in their topic for sure. Raises nothing."""
        keys = [key for letter in letters if (key := letter_key(letter.failure, letter.record))]
        with suppress(LernError), translated():
            for key in keys:
                self._client.set(key, 1, ex=_KEPT, nx=True)

    def forget(self, key: str) -> None:
        """Somebody says that the cause was mended: the next equal letter is a new one. Raises DependencyDown."""
        with translated():
            self._client.delete(key)

    def counts(self, keys: Sequence[str | None]) -> list[int]:
        """How often each letter came, as far as it is remembered. Raises DependencyDown."""
        with translated():
            found = self._client.mget([key or "" for key in keys]) if keys else []
        return [int(str(number or 1)) for number in found]
