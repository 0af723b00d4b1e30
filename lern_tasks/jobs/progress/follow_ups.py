"""What follows once progress is written: a request for certificates, and audit events.

See docs/jobs/activity_aggregate_updater.md, "Rows".
"""

from collections.abc import Collection, Mapping

from lern_tasks.catalogue import ProgressJob
from lern_tasks.delivery.handoff import hand_off, publish_events
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.jobs.certificates.api import issue_request
from lern_tasks.jobs.progress.rules.decision import ProgressDecision
from lern_tasks.metrics import count
from lern_tasks.sunbird import audit_event
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


def ask_for_certificates(
    job: ProgressJob,
    decisions: Collection[ProgressDecision],
    causes: Mapping[EnrolmentKey, Record],
    ctx: Resources,
) -> None:
    """Hand the enrolments that are due to the certificate pre-processor. Raises DependencyDown."""
    topic = ctx.settings.topic(ctx.settings.progress(job).kafka_certissue_topic)
    handoffs = [
        issue_request(decision.key, causes[decision.key], ctx, topic=topic)
        for decision in decisions
        if decision.certificate
    ]
    hand_off(ctx, handoffs)
    count("cert-issue-events-count", len(handoffs), job=job)


def publish_audits(job: ProgressJob, decisions: Collection[ProgressDecision], ctx: Resources) -> None:
    """Publish the audit events of contents and of completions. Raises DependencyDown."""
    now_ms = ctx.now_ms()
    events = [
        audit_event.content_audit(decision.key, content, action, now_ms=now_ms)
        for decision in decisions
        for content, action in decision.content_audits
    ]
    events += [audit_event.enrolment_audit(d.key, now_ms=now_ms) for d in decisions if d.completion_audit]
    publish_events(ctx, ctx.settings.progress(job).kafka_audit_topic, events)
