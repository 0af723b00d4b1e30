"""Answers and attempts, shortly."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from lern_tasks.jobs.assessments.rules.attempt import AttemptId, StoredAttempt, Submission
from lern_tasks.jobs.assessments.rules.score import Answer, Score, latest_answers, score_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def answer(question: str | None, ets: int, max_score: float, score: float) -> Answer:
    return Answer(question_id=question, answered_at=at(ets), score=score, max_score=max_score, duration=Decimal("1.0"))


def submission(attempt: str, ets: int, *answers: Answer, content: str = "do_a") -> Submission:
    kept = latest_answers(answers or [answer("q1", ets, 1, 1)])
    return Submission(
        id=AttemptId(content_id=content, attempt_id=attempt), attempted_on=at(ets), answers=kept, score=score_of(kept)
    )


def stored(
    content: str, attempt: str, total: float, maximum: float, ets: int | None, *, created: int | None = 0
) -> StoredAttempt:
    return StoredAttempt(
        id=AttemptId(content_id=content, attempt_id=attempt),
        created_on=None if created is None else at(created),
        attempted_on=None if ets is None else at(ets),
        score=Score(total=float(total), maximum=float(maximum)),
    )
