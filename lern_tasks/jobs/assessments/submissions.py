"""The attempts that the records of an enrolment bring, beside those that are stored.

See docs/jobs/assessment_aggregator.md, "Rules" and "Failure".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lern_tasks.delivery.batch import BatchRecord, fail_each
from lern_tasks.delivery.locked_groups import Group
from lern_tasks.errors import RuleViolation
from lern_tasks.jobs.assessments.events import AssessmentEvent
from lern_tasks.jobs.assessments.resources import AssessmentResources
from lern_tasks.jobs.assessments.rules.attempt import (
    ACCEPTED,
    AttemptId,
    StoredAttempt,
    Verdict,
    Write,
    decide_attempts,
    rows_after,
)
from lern_tasks.metrics import count
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "assessment_aggregator"

Enrolment = Group[EnrolmentKey, AssessmentEvent]
"""The records of one enrolment in this message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submissions:
    """What becomes of the attempts of one enrolment.

    `verdicts`: what each record's attempt is beside the stored one; records without attempt have none. `writes`: the
    last accepted version of each attempt.
    """

    stored: Mapping[AttemptId, StoredAttempt]
    verdicts: Mapping[BatchRecord[AssessmentEvent], Verdict]
    writes: Mapping[AttemptId, Write]


def decide(
    enrolments: Iterable[Enrolment], stored: Mapping[EnrolmentKey, Mapping[AttemptId, StoredAttempt]], *, now: datetime
) -> dict[EnrolmentKey, Submissions]:
    """Which versions of the attempts are kept, for each enrolment whose stored attempts are known."""
    return {
        enrolment.key: _decide(enrolment, stored[enrolment.key], now)
        for enrolment in enrolments
        if enrolment.key in stored
    }


def _decide(enrolment: Enrolment, stored: Mapping[AttemptId, StoredAttempt], now: datetime) -> Submissions:
    submitted = {record: record.event.submission for record in enrolment.open if record.event.submission}
    count("db-read-count", sum(submission.id in stored for submission in submitted.values()), job=JOB)
    decisions = decide_attempts(stored, list(submitted.values()), now=now)
    return Submissions(
        stored=stored, verdicts=dict(zip(submitted, decisions.verdicts, strict=True)), writes=decisions.writes
    )


def write(
    decided: Mapping[EnrolmentKey, Submissions],
    tokens: Mapping[EnrolmentKey, int],
    ctx: AssessmentResources,
    *,
    now: datetime,
) -> dict[EnrolmentKey, dict[AttemptId, StoredAttempt]]:
    """Write the attempts of all enrolments at once; what is stored then. Records that could not be written fail."""
    accepted = [(key, attempt) for key, own in decided.items() for attempt in own.writes.values()]
    results = ctx.attempts.write(accepted, tokens, now=now)
    written: dict[EnrolmentKey, dict[AttemptId, Write]] = {key: {} for key in decided}
    for (key, attempt), error in zip(accepted, results, strict=True):
        identity = attempt.submission.id
        if error is None:
            written[key][identity] = attempt
        else:
            fail_each([record for record in decided[key].verdicts if _attempt_of(record) == identity], error)
    count("db-update-count", sum(map(len, written.values())), job=JOB)
    return {key: rows_after(own.stored, written[key]) for key, own in decided.items()}


def pass_over(decided: Iterable[Submissions]) -> None:
    """Give the records an outcome whose attempts are not kept, and which ask for nothing more."""
    for record, verdict in (pair for own in decided for pair in own.verdicts.items()):
        if record.outcome is not None:
            continue
        count("batch-success-event-count", verdict in ACCEPTED, job=JOB)
        if verdict == "unreadable":
            record.fail(
                RuleViolation(
                    "the stored attempt has no last_attempted_on or no created_on; mend the row and replay this event",
                    code="ATTEMPT_WITHOUT_TIME",
                )
            )
        elif verdict == "older" and not record.delivered_before:
            record.skip("a newer version of the attempt is stored")


def finish(enrolment: Enrolment, own: Submissions) -> None:
    """All effects of the records that are left have happened."""
    for record in enrolment.open:
        if own.verdicts.get(record) == "same" and not record.delivered_before:
            record.skip("this version of the attempt is stored")
            continue
        count("recompute-agg-event-count", record.event.submission is None, job=JOB)
        record.done()


def _attempt_of(record: BatchRecord[AssessmentEvent]) -> AttemptId | None:
    return record.event.submission.id if record.event.submission else None
