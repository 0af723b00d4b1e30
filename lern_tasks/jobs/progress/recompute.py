"""What happens to enrolments under their locks, in this order: read, decide, write, hand on, mark as seen.

Shared by the jobs that compute progress. See docs/architecture.md, "Order of effects" and "Locks".
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from lern_tasks.catalogue import ProgressJob
from lern_tasks.delivery.batch import BatchRecord, fail_each
from lern_tasks.delivery.handoff import Handoff, hand_off, publish_events
from lern_tasks.delivery.record import Record
from lern_tasks.errors import LernError, LockBusy
from lern_tasks.jobs.certificates.api import issue_event
from lern_tasks.jobs.progress import rows as enrolment_progress
from lern_tasks.jobs.progress.resources import ProgressResources
from lern_tasks.jobs.progress.rows import ProgressRequest
from lern_tasks.jobs.progress.rules.content_counts import COMPLETED, PendingCounts, dedup_checksum
from lern_tasks.jobs.progress.rules.decision import ProgressDecision, ProgressInputs, decide_progress
from lern_tasks.metrics import count
from lern_tasks.sunbird import audit_event
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


class AboutEnrolment(Protocol):
    """An event about one enrolment."""

    @property
    def key(self) -> EnrolmentKey:
        """Which one."""
        ...


E = TypeVar("E", bound=AboutEnrolment)


@dataclass(frozen=True, slots=True)
class Group(Generic[E]):
    """The records of one enrolment in this message: they share one read, one computation, one write."""

    key: EnrolmentKey
    items: list[BatchRecord[E]]

    @property
    def cause(self) -> Record:
        """The record that stands for all in what follows."""
        return self.items[0].record

    @property
    def open(self) -> list[BatchRecord[E]]:
        """The items without an outcome."""
        return [item for item in self.items if item.outcome is None]

    @property
    def delivered_before(self) -> bool:
        """An earlier delivery of one of the records may have done a part of the work."""
        return any(item.delivered_before for item in self.items)

    def settle(self, error: LernError | None) -> None:
        """Give the items that have no outcome one: done, or failed."""
        if error is not None:
            fail_each(self.items, error)
        for item in self.items:
            if item.outcome is None:
                item.done()


def groups_of(items: Sequence[BatchRecord[E]]) -> dict[EnrolmentKey, Group[E]]:
    """The items by enrolment."""
    groups: dict[EnrolmentKey, Group[E]] = {}
    for item in items:
        groups.setdefault(item.event.key, Group(item.event.key, [])).items.append(item)
    return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """What was read of an enrolment and what was decided: all its effects have happened."""

    inputs: ProgressInputs
    decision: ProgressDecision


def rounds(
    job: ProgressJob,
    causes: Mapping[EnrolmentKey, Record],
    ctx: ProgressResources,
    *,
    wanted: Callable[[Sequence[EnrolmentKey]], Sequence[ProgressRequest]],
) -> Iterator[dict[EnrolmentKey, Computed | LernError]]:
    """Compute the enrolments of `causes` (each with the record that asks for it) and let all effects happen.

    `wanted` says under the lock what to compute of them, if anything. Enrolments whose lock stays busy are in no
    answer. Raises DependencyDown.
    """
    keys: defaultdict[str, list[EnrolmentKey]] = defaultdict(list)
    for key in causes:
        # Several keys, if ids have colons: they then share a lock.
        keys[f"progress:{key.text}"].append(key)
    for holding in ctx.locks.acquire_in_batches(keys, wait=ctx.settings.tasks.lock_wait):
        tokens = {key: token for name, token in holding.tokens.items() for key in keys[name]}
        answers = _write(job, wanted(list(tokens)), tokens, ctx)
        lost = {key for name in holding.release() for key in keys[name]}
        count("lock-lost", len(lost), job=job)
        answers |= {key: LockBusy("the lock was lost before the rows were written") for key in lost & answers.keys()}
        written = {key: answer.decision for key, answer in answers.items() if isinstance(answer, Computed)}
        _ask_for_certificates(job, written.values(), causes, ctx)
        _publish_audits(job, written.values(), ctx)
        ctx.markers.mark(_noted(written.values(), ctx))
        yield answers


def marker(key: EnrolmentKey, content: str) -> str:
    """Under which name it is marked that a content was counted."""
    return dedup_checksum(key.course_id, key.batch_id, key.user_id, content, COMPLETED)


def _write(
    job: ProgressJob, wanted: Sequence[ProgressRequest], tokens: Mapping[EnrolmentKey, int], ctx: ProgressResources
) -> dict[EnrolmentKey, Computed | LernError]:
    """Read, decide, note down the counts, write the rows."""
    settings = ctx.settings.progress(job)
    now = datetime.fromtimestamp(ctx.now_ms() / 1000, tz=UTC)
    answers: dict[EnrolmentKey, Computed | LernError] = {}
    for key, found in enrolment_progress.read(job, wanted, ctx).items():
        if isinstance(found, LernError):
            answers[key] = found
            continue
        decision = decide_progress(
            found,
            now=now,
            filter_processed=settings.activity_filter_processed_enrolments,
            units=settings.activity_module_aggs_enabled,
        )
        answers[key] = Computed(inputs=found, decision=decision)
    decisions = [answer.decision for answer in answers.values() if isinstance(answer, Computed)]
    ctx.markers.write_ahead(_noted(decisions, ctx))
    return answers | enrolment_progress.write(job, decisions, tokens, now, ctx)


def _noted(decisions: Iterable[ProgressDecision], ctx: ProgressResources) -> dict[str, PendingCounts]:
    """The counts to note down, by their marker. Reconciliation counts nothing, so it has none."""
    if not ctx.settings.activity_aggregate_updater.activity_input_dedup_enabled:
        return {}
    return {
        marker(decision.key, content): pending
        for decision in decisions
        for content, pending in decision.pending.items()
    }


def _ask_for_certificates(
    job: ProgressJob,
    decisions: Iterable[ProgressDecision],
    causes: Mapping[EnrolmentKey, Record],
    ctx: ProgressResources,
) -> None:
    topic = ctx.settings.topic(ctx.settings.progress(job).kafka_certissue_topic)
    steps = [
        Handoff(
            job="collection_cert_pre_processor",
            event=issue_event(decision.key, now_ms=ctx.now_ms()),
            topic=topic,
            key=decision.key.user_id,
            business_key=decision.key.text,
            cause=causes[decision.key],
        )
        for decision in decisions
        if decision.certificate
    ]
    hand_off(ctx, steps)
    count("cert-issue-events-count", len(steps), job=job)


def _publish_audits(job: ProgressJob, decisions: Collection[ProgressDecision], ctx: ProgressResources) -> None:
    now_ms = ctx.now_ms()
    events = [
        audit_event.content_audit(decision.key, content, action, now_ms=now_ms)
        for decision in decisions
        for content, action in decision.content_audits
    ]
    events += [audit_event.enrolment_audit(d.key, now_ms=now_ms) for d in decisions if d.completion_audit]
    publish_events(ctx, ctx.settings.progress(job).kafka_audit_topic, events)
