"""Which version of an attempt is kept. See docs/jobs/assessment_aggregator.md, "Rules"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lern_tasks.jobs.assessments.rules.score import Answer, Score

Verdict = Literal["new", "newer", "same", "older", "unreadable"]
"""What a submission is beside the attempt that is stored; `unreadable`: the stored row has no times to compare."""

ACCEPTED: tuple[Verdict, ...] = ("new", "newer")
"""The attempt is written."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class AttemptId:
    """One attempt at a content, within an enrolment. Ordered as the rows are: by content, then attempt."""

    content_id: str
    attempt_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One version of an attempt: all its answers, one a question, as of `attempted_on`."""

    id: AttemptId
    attempted_on: datetime
    answers: Sequence[Answer]
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAttempt:
    """An attempt's row, as far as it decides something; rows of other writers may lack any of it."""

    id: AttemptId
    created_on: datetime | None
    attempted_on: datetime | None
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A version to be written. `created_on` is None where the row keeps its own."""

    submission: Submission
    created_on: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """`verdicts` in the order of the submissions; `writes`: the last accepted version of each attempt."""

    verdicts: Sequence[Verdict]
    writes: Mapping[AttemptId, Write]


def decide_attempts(
    stored: Mapping[AttemptId, StoredAttempt], submissions: Sequence[Submission], *, now: datetime
) -> Decisions:
    """What becomes of `submissions`, as if each had been written before the next came.

    A later `attempted_on` replaces the whole attempt; an equal or earlier one never does.
    """
    verdicts: list[Verdict] = []
    writes: dict[AttemptId, Write] = {}
    for submission in submissions:
        row, written = stored.get(submission.id), writes.get(submission.id)
        verdict = _beside(written.submission.attempted_on, submission) if written else _beside_row(row, submission)
        verdicts.append(verdict)
        if verdict in ACCEPTED:
            writes[submission.id] = Write(submission=submission, created_on=None if row else now)
    return Decisions(verdicts=verdicts, writes=writes)


def rows_after(
    stored: Mapping[AttemptId, StoredAttempt], writes: Mapping[AttemptId, Write]
) -> dict[AttemptId, StoredAttempt]:
    """The rows once `writes` are written."""
    written = {
        attempt: StoredAttempt(
            id=attempt,
            created_on=write.created_on or stored[attempt].created_on,
            attempted_on=write.submission.attempted_on,
            score=write.submission.score,
        )
        for attempt, write in writes.items()
    }
    return {**stored, **written}


def _beside_row(row: StoredAttempt | None, submission: Submission) -> Verdict:
    if row is None:
        return "new"
    if row.attempted_on is None or row.created_on is None:
        return "unreadable"
    return _beside(row.attempted_on, submission)


def _beside(attempted_on: datetime, submission: Submission) -> Verdict:
    if submission.attempted_on > attempted_on:
        return "newer"
    return "same" if submission.attempted_on == attempted_on else "older"
