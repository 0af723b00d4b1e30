"""What the tests of attempts store, deliver and look at."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from lern_tasks.storage.gateway import PutMap
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ACTIVITY_AGG, ASSESSMENTS
from tests.harness.course import KEY
from tests.harness.in_process import NOW_MS, Chain
from tests.jobs.assessments.rules.attempts import at

JOB: Final = "assessment_aggregator"
FAILED = "telemetry.assess.failed"
NOW = at(NOW_MS)
LONG_AGO = at(NOW_MS - 10_000_000)
DONE = {"done": 1, "skipped": 0, "again": 0, "dead": 0}
SKIPPED = {"done": 0, "skipped": 1, "again": 0, "dead": 0}
AGAIN = {"done": 0, "skipped": 0, "again": 1, "dead": 0}
DEAD = {"done": 0, "skipped": 0, "again": 0, "dead": 1}


def deliver(chain: Chain, *events: Any, **changes: Any) -> dict[str, int]:
    """Deliver the events in one message; `changes` are fields of the records."""
    return chain.run(JOB, *(chain.record(event, topic="dev.telemetry.assess", **changes) for event in events))


def store_attempt(
    chain: Chain, content: str, attempt: str, score: tuple[float, float], ts: int | None, **cells: Any
) -> None:
    """Store an attempt with its score and maximum, as the Flink job did it long ago."""
    times: Mapping[str, datetime] = {} if ts is None else {"last_attempted_on": at(ts)}
    cells = {"created_on": LONG_AGO, "updated_on": LONG_AGO, **times, **cells}
    key = (KEY.user_id, KEY.course_id, KEY.batch_id, content, attempt)
    chain.put(
        ASSESSMENTS,
        key,
        total_score=float(score[0]),
        total_max_score=float(score[1]),
        grand_total="",
        question=[],
        **cells,
    )


def attempt_row(chain: Chain, attempt: str = "att-1", content: str = "r1", key: EnrolmentKey = KEY) -> dict[str, Any]:
    """A stored attempt; empty when there is none."""
    return chain.row(ASSESSMENTS, (key.user_id, key.course_id, key.batch_id, content, attempt))


def score_row(chain: Chain, key: EnrolmentKey = KEY) -> dict[str, Any]:
    """The course row of the learner."""
    return chain.row(ACTIVITY_AGG, ("Course", key.course_id, key.user_id, f"cb:{key.batch_id}"))


def store_figures(chain: Chain, **figures: float) -> None:
    """Put figures into the course row as other jobs and earlier events did; underscores stand for colons."""
    row = ("Course", KEY.course_id, KEY.user_id, f"cb:{KEY.batch_id}")
    named = {name.replace("__", ":"): value for name, value in figures.items()}
    moments = dict.fromkeys(named, LONG_AGO)
    errors = chain.store.apply(
        [
            PutMap(table=ACTIVITY_AGG, key=row, column="aggregates", entries=named),
            PutMap(table=ACTIVITY_AGG, key=row, column="agg_last_updated", entries=moments),
        ]
    )
    assert errors == [None, None]


def asked(chain: Chain) -> list[tuple[str, str]]:
    """Who was handed on to the pre-processor, with the attempt that was named."""
    events = chain.sent_events("collection_cert_pre_processor")
    return [(event["edata"]["userIds"][0], event["edata"]["attemptId"]) for event in events]


def letter(chain: Chain) -> tuple[bytes | None, str, str]:
    """The one dead letter: value, code and error."""
    (message,) = chain.published.to(FAILED)
    headers = dict(message.headers)
    return message.value, headers["lern-code"].decode(), headers["lern-error"].decode()
