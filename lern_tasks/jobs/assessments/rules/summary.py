"""A learner's scores in a course, from all attempts. See docs/jobs/assessment_aggregator.md, "Rules"."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lern_tasks.jobs.assessments.rules.attempt import StoredAttempt

_SCORE, _MAX_SCORE, _ATTEMPTS = "score:", "max_score:", "attempts_count:"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_NEVER = datetime.min.replace(tzinfo=UTC)
"""An attempt without time is the oldest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the course row says of the attempts.

    `figures` are the entries `score:{content}`, `max_score:{content}` and `attempts_count:{content}`; `details` has one
    JSON text an attempt; `latest_attempt` is empty unless exactly one content was attempted.
    """

    figures: Mapping[str, float]
    details: Sequence[str]
    latest_attempt: str


def summarise(attempts: Iterable[StoredAttempt], *, kind: str) -> Summary:
    """The best attempt at each content and their number. `kind` is the `type` in `details`.

    Best is the highest total; of equal ones the first by attempt id. The maximum is that of the same attempt.
    """
    rows = sorted(attempts, key=lambda attempt: attempt.id)
    by_content: dict[str, list[StoredAttempt]] = {}
    for row in rows:
        by_content.setdefault(row.id.content_id, []).append(row)
    figures: dict[str, float] = {}
    for content, own in by_content.items():
        best = max(own, key=lambda attempt: attempt.score.total)
        figures[f"{_SCORE}{content}"] = best.score.total
        figures[f"{_MAX_SCORE}{content}"] = best.score.maximum
        figures[f"{_ATTEMPTS}{content}"] = float(len(own))
    latest = max(rows, key=lambda attempt: attempt.attempted_on or _NEVER).id.attempt_id if len(by_content) == 1 else ""
    return Summary(figures=figures, details=[_detail(row, kind) for row in rows], latest_attempt=latest)


def stale_figures(names: Iterable[str], summary: Summary) -> frozenset[str]:
    """Those of `names` that are figures of contents without attempts; never anything but scores."""
    return frozenset(
        name for name in names if name.startswith((_SCORE, _MAX_SCORE, _ATTEMPTS)) and name not in summary.figures
    )


def moment_text(moment: datetime) -> str:
    """`Nov 14, 2023, 10:15:00 PM`: in UTC and English, whatever the machine's zone and language."""
    utc = moment.astimezone(UTC)
    half = "AM" if utc.hour < 12 else "PM"
    time = f"{utc.hour % 12 or 12}:{utc.minute:02}:{utc.second:02} {half}"
    return f"{_MONTHS[utc.month - 1]} {utc.day}, {utc.year:04}, {time}"


def _detail(row: StoredAttempt, kind: str) -> str:
    detail: dict[str, object] = {"attempt_id": row.id.attempt_id}
    if row.attempted_on is not None:
        detail["last_attempted_on"] = moment_text(row.attempted_on)
    detail |= {
        "score": row.score.total,
        "content_id": row.id.content_id,
        "max_score": row.score.maximum,
        "type": kind,
    }
    return json.dumps(detail, separators=(",", ":"), ensure_ascii=False)
