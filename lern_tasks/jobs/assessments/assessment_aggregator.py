"""`lern.assessment_aggregator`: a learner's attempts become scores. See docs/jobs/assessment_aggregator.md."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from lern_tasks.delivery.batch import Batch, fail_each
from lern_tasks.delivery.handoff import Handoff, hand_off
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LockBusy
from lern_tasks.jobs.assessments import checks
from lern_tasks.jobs.assessments import scores as assessment_scores
from lern_tasks.jobs.assessments.events import AssessmentEvent, parse
from lern_tasks.jobs.assessments.resources import AssessmentResources
from lern_tasks.jobs.assessments.scores import Scored
from lern_tasks.jobs.certificates.api import issue_event
from lern_tasks.jobs.progress.recompute import groups_of
from lern_tasks.metrics import count
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "assessment_aggregator"


@event_job(JOB, parse=parse, resources=AssessmentResources)
def assessment_aggregator(batch: Batch[AssessmentEvent], ctx: AssessmentResources) -> None:
    """Store attempts, compute each learner's scores from all of them, and ask for a certificate."""
    checks.refuse(batch.open, ctx)
    groups = groups_of(batch.open)
    keys: defaultdict[str, list[EnrolmentKey]] = defaultdict(list)
    for key in groups:
        # The lock of the jobs that write progress; several keys share it, if ids have colons.
        keys[f"progress:{key.text}"].append(key)
    for holding in ctx.locks.acquire_in_batches(keys, wait=ctx.settings.tasks.lock_wait):
        tokens = {key: token for name, token in holding.tokens.items() for key in keys[name]}
        scored = assessment_scores.write([groups[key] for key in tokens], tokens, ctx)
        lost = {key for name in holding.release() for key in keys[name]}
        count("lock-lost", len(lost), job=JOB)
        for key in lost:
            fail_each(groups[key].items, LockBusy("the lock was lost before the rows were written"))
        kept = [entry for entry in scored if entry.group.key not in lost]
        _ask_for_certificates(kept, ctx)
        for entry in kept:
            _settle(entry)
    fail_each(batch.open, LockBusy("another worker is busy with this enrolment"))


def _ask_for_certificates(scored: Sequence[Scored], ctx: AssessmentResources) -> None:
    """One request for each enrolment, whatever its records were: the pre-processor drops what is issued."""
    topic = ctx.settings.topic(ctx.settings.assessment_aggregator.kafka_certissue_topic)
    now_ms = ctx.now_ms()
    steps = [
        Handoff(
            job="collection_cert_pre_processor",
            event=issue_event(entry.group.key, now_ms=now_ms, attempt_id=entry.summary.latest_attempt),
            topic=topic,
            key=entry.group.key.user_id,
            business_key=entry.group.key.text,
            cause=entry.group.open[0].record,
        )
        for entry in scored
    ]
    hand_off(ctx, steps)
    count("cert-issue-events-count", len(steps), job=JOB)


def _settle(scored: Scored) -> None:
    for item in scored.group.open:
        if scored.verdicts.get(item) == "same" and not item.delivered_before:
            item.skip("this version of the attempt is stored")
            continue
        count("recompute-agg-event-count", item.event.submission is None, job=JOB)
        item.done()
