"""`assessment_aggregator`: a learner's attempts at the contents of a course.

See docs/jobs/assessment_aggregator.md, "Rows".
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lern_tasks.errors import LernError
from lern_tasks.jobs.assessments.rules.attempt import AttemptId, StoredAttempt, Write
from lern_tasks.jobs.assessments.rules.score import Answer, Score
from lern_tasks.storage.gateway import Gateway, Key, PutCells, Row
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_COLUMNS = ("content_id", "attempt_id", "created_on", "last_attempted_on", "total_score", "total_max_score")


def row_key(key: EnrolmentKey, attempt: AttemptId) -> Key:
    """The key of the row of an attempt."""
    return (key.user_id, key.course_id, key.batch_id, attempt.content_id, attempt.attempt_id)


class Attempts:
    """The attempts of enrolments."""

    def __init__(self, gateway: Gateway, table: Table) -> None:
        self._gateway = gateway
        self._table = table

    def read(self, keys: Sequence[EnrolmentKey]) -> dict[EnrolmentKey, dict[AttemptId, StoredAttempt] | LernError]:
        """All attempts of each enrolment, without their answers."""
        by_prefix: dict[Key, EnrolmentKey] = {(key.user_id, key.course_id, key.batch_id): key for key in keys}
        found = self._gateway.select_many(self._table, list(by_prefix), _COLUMNS)
        return {by_prefix[prefix]: _attempts(rows) for prefix, rows in found.items()}

    def write(
        self, attempts: Sequence[tuple[EnrolmentKey, Write]], tokens: Mapping[EnrolmentKey, int], *, now: datetime
    ) -> list[LernError | None]:
        """Write attempts, each with its lock's fencing token; an answer for each, None for what is written."""
        return self._gateway.apply(
            [self.put(key, attempt, now=now, timestamp=tokens[key]) for key, attempt in attempts]
        )

    def put(self, key: EnrolmentKey, attempt: Write, *, now: datetime, timestamp: int) -> PutCells:
        """The change that sets a whole attempt in one statement: the list of answers is replaced, never merged.

        Once for each `timestamp`: a list that is written twice with the same one would be doubled.
        """
        submission = attempt.submission
        cells: dict[str, Any] = {
            "updated_on": now,
            "last_attempted_on": submission.attempted_on,
            "total_score": submission.score.total,
            "total_max_score": submission.score.maximum,
            "grand_total": submission.score.text,
            "question": [_question(answer) for answer in submission.answers],
        }
        if attempt.created_on is not None:
            cells["created_on"] = attempt.created_on
        return PutCells(table=self._table, key=row_key(key, submission.id), cells=cells, timestamp=timestamp)


def _question(answer: Answer) -> Mapping[str, Any]:
    return {
        "id": answer.question_id,
        "assess_ts": answer.answered_at,
        "max_score": answer.max_score,
        "score": answer.score,
        "type": answer.kind,
        "title": answer.title,
        "resvalues": [dict(entry) for entry in answer.values],
        "params": [dict(entry) for entry in answer.params],
        "description": answer.description,
        "duration": answer.duration,
    }


def _attempts(rows: Sequence[Row] | LernError) -> dict[AttemptId, StoredAttempt] | LernError:
    return rows if isinstance(rows, LernError) else {attempt.id: attempt for attempt in map(_attempt, rows)}


def _attempt(row: Row) -> StoredAttempt:
    """A total that is missing counts as 0."""
    return StoredAttempt(
        id=AttemptId(content_id=row["content_id"], attempt_id=row["attempt_id"]),
        created_on=row["created_on"],
        attempted_on=row["last_attempted_on"],
        score=Score(total=row["total_score"] or 0.0, maximum=row["total_max_score"] or 0.0),
    )
