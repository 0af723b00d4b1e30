"""The score of one attempt: one answer a question, summed. See docs/jobs/assessment_aggregator.md, "Rules"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer to a question. `question_id` may be absent: such answers are of one question without name.

    `duration` is in seconds, as the player measured it; `answers` is what was chosen, `params` what was to choose from.
    """

    question_id: str | None
    answered_at: datetime
    score: float
    max_score: float
    duration: Decimal
    kind: str | None = None
    title: str | None = None
    description: str | None = None
    values: Sequence[Mapping[str, str]] = ()
    params: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What an attempt achieved, of how much."""

    total: float
    maximum: float

    @property
    def text(self) -> str:
        """`2.33/4.0`, as reports read it."""
        return f"{points_text(self.total)}/{points_text(self.maximum)}"


def latest_answers(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """The latest answer to each question, even when an earlier one scored more; of equally late ones the first."""
    latest: dict[str | None, Answer] = {}
    for answer in answers:
        kept = latest.get(answer.question_id)
        if kept is None or answer.answered_at > kept.answered_at:
            latest[answer.question_id] = answer
    return tuple(latest.values())


def score_of(answers: Iterable[Answer]) -> Score:
    """The sums over `answers`, one a question; not rounded."""
    kept = tuple(answers)
    return Score(
        total=sum((answer.score for answer in kept), 0.0), maximum=sum((answer.max_score for answer in kept), 0.0)
    )


def points_text(value: float) -> str:
    """Points with one or two decimals, always with a dot, without grouping: `2.0`, `2.33`.

    Python rounds the exact binary value, half to even, as the Flink job did: 2.125 is `2.12`, 2.675 is `2.67`.
    """
    text = f"{value:.2f}"
    return text.removesuffix("0")
