"""Attempts are written, then the scores that follow from all of them: what happens under an enrolment's lock.

See docs/jobs/assessment_aggregator.md, "Rules" and "Failure".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lern_tasks.delivery.batch import BatchRecord, fail_each
from lern_tasks.errors import LernError, RuleViolation
from lern_tasks.jobs.assessments import attempts
from lern_tasks.jobs.assessments.events import AssessmentEvent
from lern_tasks.jobs.assessments.resources import AssessmentResources
from lern_tasks.jobs.assessments.rules.attempt import (
    ACCEPTED,
    AttemptId,
    Decisions,
    StoredAttempt,
    Verdict,
    Write,
    decide_attempts,
    rows_after,
)
from lern_tasks.jobs.assessments.rules.summary import Summary, summarise
from lern_tasks.jobs.progress.recompute import Group
from lern_tasks.metrics import count
from lern_tasks.storage.gateway import Mutation, Row
from lern_tasks.sunbird import activity_aggregates
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import for_job

JOB: Final = "assessment_aggregator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One enrolment whose rows are written. `verdicts`: what the attempts of its records were beside the stored."""

    group: Group[AssessmentEvent]
    verdicts: Mapping[BatchRecord[AssessmentEvent], Verdict]
    summary: Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    group: Group[AssessmentEvent]
    stored: Mapping[AttemptId, StoredAttempt]
    items: Sequence[BatchRecord[AssessmentEvent]]
    decisions: Decisions


def write(
    groups: Sequence[Group[AssessmentEvent]], tokens: Mapping[EnrolmentKey, int], ctx: AssessmentResources
) -> list[Scored]:
    """Write the attempts, each enrolment's scores, and say which are written; other records have their outcome.

    `tokens` are the locks' tokens, the times of all writes. Two round trips to write, as scores of an attempt that is
    not stored would be seen by a certificate. A record that was delivered before has its scores written again, whatever
    became of its attempt: an earlier delivery may have died between the two.
    """
    now = datetime.fromtimestamp(ctx.now_ms() / 1000, tz=UTC)
    plans = _plans(groups, now, ctx)
    written = _write_attempts(plans, tokens, now, ctx)
    for plan in plans:
        _settle(plan)
    wanted = [
        Scored(
            group=plan.group,
            verdicts=dict(zip(plan.items, plan.decisions.verdicts, strict=True)),
            summary=summarise(
                rows_after(plan.stored, written[plan.group.key]).values(),
                kind=ctx.settings.assessment_aggregator.user_activity_agg_type,
            ),
        )
        for plan in plans
        if plan.group.open
    ]
    count("db-score-read-count", len(wanted), job=JOB)
    return _write_scores(wanted, tokens, now, ctx)


def _plans(groups: Sequence[Group[AssessmentEvent]], now: datetime, ctx: AssessmentResources) -> list[_Plan]:
    table = for_job(ctx.settings, JOB).assessments
    found = attempts.read(ctx.gateway, table, [group.key for group in groups])
    plans = []
    for group in groups:
        stored = found[group.key]
        if isinstance(stored, LernError):
            fail_each(group.items, stored)
            continue
        submitted = [(item, item.event.submission) for item in group.open if item.event.submission]
        submissions = [submission for _, submission in submitted]
        count("db-read-count", sum(submission.id in stored for submission in submissions), job=JOB)
        decisions = decide_attempts(stored, submissions, now=now)
        plans.append(_Plan(group=group, stored=stored, items=[item for item, _ in submitted], decisions=decisions))
    return plans


def _write_attempts(
    plans: Sequence[_Plan], tokens: Mapping[EnrolmentKey, int], now: datetime, ctx: AssessmentResources
) -> dict[EnrolmentKey, dict[AttemptId, Write]]:
    """Write the attempts; those that are written. The records of the others fail."""
    table = for_job(ctx.settings, JOB).assessments
    todo = [(plan, attempt) for plan in plans for attempt in plan.decisions.writes.values()]
    results = ctx.gateway.apply(
        [
            attempts.write(table, plan.group.key, attempt, now=now, timestamp=tokens[plan.group.key])
            for plan, attempt in todo
        ]
    )
    written: dict[EnrolmentKey, dict[AttemptId, Write]] = {plan.group.key: {} for plan in plans}
    for (plan, attempt), error in zip(todo, results, strict=True):
        own = [
            item for item in plan.items if item.event.submission and item.event.submission.id == attempt.submission.id
        ]
        if error is not None:
            fail_each(own, error)
        else:
            written[plan.group.key][attempt.submission.id] = attempt
    count("db-update-count", sum(map(len, written.values())), job=JOB)
    return written


def _settle(plan: _Plan) -> None:
    """Give the records an outcome that ask for nothing more."""
    for item, verdict in zip(plan.items, plan.decisions.verdicts, strict=True):
        if item.outcome is not None:
            continue
        count("batch-success-event-count", verdict in ACCEPTED, job=JOB)
        if verdict == "unreadable":
            item.fail(
                RuleViolation(
                    "the stored attempt has no last_attempted_on or no created_on; mend the row and replay this event",
                    code="ATTEMPT_WITHOUT_TIME",
                )
            )
        elif verdict == "older" and not item.delivered_before:
            item.skip("a newer version of the attempt is stored")


def _write_scores(
    wanted: Sequence[Scored], tokens: Mapping[EnrolmentKey, int], now: datetime, ctx: AssessmentResources
) -> list[Scored]:
    """Write the scores; the enrolments for which that is done. The records of the others fail."""
    table = for_job(ctx.settings, JOB).activity_agg
    mutations: list[Mutation] = []
    owners: list[EnrolmentKey] = []
    entries = _stale_entries(wanted, ctx)
    errors: dict[EnrolmentKey, LernError] = {}
    for scored in wanted:
        key = scored.group.key
        stored = entries.get(key)
        if isinstance(stored, LernError):
            errors[key] = stored
        elif scored.summary.details or stored:
            own = activity_aggregates.write_scores(
                table, key, scored.summary, now=now, timestamp=tokens[key], stored=stored
            )
            mutations += own
            owners += [key] * len(own)
    results = ctx.gateway.apply(mutations)
    errors |= {owner: error for owner, error in zip(owners, results, strict=True) if error is not None}
    count("db-score-update-count", len(set(owners) - errors.keys()), job=JOB)
    for scored in wanted:
        if scored.group.key in errors:
            fail_each(scored.group.items, errors[scored.group.key])
    return [scored for scored in wanted if scored.group.key not in errors]


def _stale_entries(wanted: Sequence[Scored], ctx: AssessmentResources) -> dict[EnrolmentKey, Row | None | LernError]:
    """The stored maps of the enrolments whose scores without attempts are to go."""
    if not ctx.settings.assessment_aggregator.remove_stale_scores:
        return {}
    keys = [scored.group.key for scored in wanted if any(item.event.submission is None for item in scored.group.open)]
    return activity_aggregates.read_entries(ctx.gateway, for_job(ctx.settings, JOB).activity_agg, keys) if keys else {}
