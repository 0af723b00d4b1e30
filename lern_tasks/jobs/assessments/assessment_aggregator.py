"""`lern.assessment_aggregator`: a learner's attempts become scores. See docs/jobs/assessment_aggregator.md."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lern_tasks.delivery.batch import Batch
from lern_tasks.delivery.handoff import hand_off
from lern_tasks.delivery.locked_groups import grouped, locked_groups
from lern_tasks.delivery.task import event_job
from lern_tasks.jobs.assessments import checks, submissions
from lern_tasks.jobs.assessments.events import AssessmentEvent, parse
from lern_tasks.jobs.assessments.resources import AssessmentResources
from lern_tasks.jobs.assessments.rules.summary import Summary, summarise
from lern_tasks.jobs.assessments.submissions import Enrolment
from lern_tasks.jobs.certificates.api import issue_request
from lern_tasks.jobs.progress.api import progress_lock
from lern_tasks.metrics import count
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "assessment_aggregator"


@event_job(JOB, parse=parse, resources=AssessmentResources)
def assessment_aggregator(batch: Batch[AssessmentEvent], ctx: AssessmentResources) -> None:
    """Store attempts, compute each learner's scores from all of them, and ask for a certificate.

    Two round trips to write, as scores of an attempt that is not stored would be seen by a certificate. A record that
    was delivered before has its scores written again, whatever became of its attempt: an earlier delivery may have
    died between the two.
    """
    kind = ctx.settings.assessment_aggregator.user_activity_agg_type
    checks.refuse(batch.open, ctx)
    groups = grouped(batch, by=lambda event: event.key)
    for held in locked_groups(groups.values(), ctx, job=JOB, lock=progress_lock, about="enrolment"):
        now = ctx.now()
        stored = held.found(ctx.attempts.read(held.keys))
        decided = submissions.decide(held.groups, stored, now=now)
        attempts = submissions.write(decided, held.tokens, ctx, now=now)
        submissions.pass_over(decided.values())
        count("db-score-read-count", len(held.open), job=JOB)
        replaced = held.found(ctx.scores.read(_to_clear(held.open, ctx)))
        summaries = {group.key: summarise(attempts[group.key].values(), kind=kind) for group in held.open}
        held.fail(ctx.scores.write(summaries, replaced, held.tokens, now=now))
        kept = held.release()
        _ask_for_certificates(kept, summaries, ctx)
        for group in kept:
            submissions.finish(group, decided[group.key])


def _to_clear(groups: Iterable[Enrolment], ctx: AssessmentResources) -> list[EnrolmentKey]:
    """The enrolments whose scores of contents without attempts are to go: by setting, where it is only recomputed."""
    if not ctx.settings.assessment_aggregator.remove_stale_scores:
        return []
    return [group.key for group in groups if any(record.event.submission is None for record in group.open)]


def _ask_for_certificates(
    groups: Sequence[Enrolment], summaries: Mapping[EnrolmentKey, Summary], ctx: AssessmentResources
) -> None:
    """One request for each enrolment, whatever its records were: the pre-processor drops what is issued."""
    topic = ctx.settings.topic(ctx.settings.assessment_aggregator.kafka_certissue_topic)
    handoffs = [
        issue_request(group.key, group.open[0].record, ctx, topic=topic, attempt_id=summaries[group.key].latest_attempt)
        for group in groups
    ]
    hand_off(ctx, handoffs)
    count("cert-issue-events-count", len(handoffs), job=JOB)
