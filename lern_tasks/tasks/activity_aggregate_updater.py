"""`lern.activity_aggregate_updater`: a finished lesson becomes progress.

See docs/jobs/activity_aggregate_updater.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lern_tasks.base import task
from lern_tasks.batch import Batch, Item, fail_each
from lern_tasks.counters import count
from lern_tasks.errors import LernError, LockBusy
from lern_tasks.events.activity_aggregate_updater import ProgressEvent, SyncRequest, parse
from lern_tasks.next_step import Step, hand_on, publish_events
from lern_tasks.rules import audit
from lern_tasks.rules.certificate_request import issue_event
from lern_tasks.rules.consumption import COMPLETED, dedup_checksum
from lern_tasks.rules.enrolment import EnrolmentKey
from lern_tasks.rules.progress_decision import ProgressDecision, decide_progress
from lern_tasks.tasks import enrolment_progress, enrolment_sync
from lern_tasks.wiring import World

JOB: Final = "activity_aggregate_updater"

Event = ProgressEvent | SyncRequest


@dataclass(slots=True)
class Group:
    """The records of one enrolment in this message: they share one read, one computation, one write."""

    key: EnrolmentKey
    items: list[Item[Event]]

    @property
    def completed(self) -> frozenset[str]:
        """The contents that the records say are completed."""
        return frozenset(content for item in self.items for content in _contents(item))

    @property
    def delivered_before(self) -> bool:
        """An earlier delivery of one of the records may have done a part of the work."""
        return any(item.delivered_before for item in self.items)


@task(job=JOB, parse=parse)
def activity_aggregate_updater(batch: Batch[Event], world: World) -> None:
    """Count completed contents, recompute aggregates and the enrolment row, and ask for a certificate."""
    enrolment_sync.hand_on_syncs(batch.open, world)
    groups = {group.key.text: group for group in _groups(batch.open)}
    count("batch-enrolment-update-count", sum(len(group.items) for group in groups.values()), job=JOB)
    names = {f"progress:{text}": group for text, group in groups.items()}
    for holding in world.locks.rounds(names, wait=world.settings.tasks.lock_wait):
        held = [names[name] for name in holding.tokens]
        tokens = {names[name].key: token for name, token in holding.tokens.items()}
        decisions = _write(held, tokens, world)
        lost = {names[name].key for name in holding.release()}
        _finish(held, decisions, lost, world)
    for group in groups.values():
        fail_each(group.items, LockBusy("another worker is busy with this enrolment"))


def _groups(items: Sequence[Item[Event]]) -> list[Group]:
    groups: dict[EnrolmentKey, Group] = {}
    for item in items:
        groups.setdefault(item.event.key, Group(item.event.key, [])).items.append(item)
    return list(groups.values())


def _contents(item: Item[Event]) -> Sequence[str]:
    return item.event.contents if isinstance(item.event, ProgressEvent) else ()


def _write(
    groups: Sequence[Group], tokens: dict[EnrolmentKey, int], world: World
) -> dict[EnrolmentKey, ProgressDecision]:
    """Read, decide, note down the counts, write the rows; the decisions whose rows are written."""
    settings = world.settings.activity_aggregate_updater
    now = datetime.fromtimestamp(world.now_ms() / 1000, tz=UTC)
    inputs = enrolment_progress.read(_uncounted(groups, world), world)
    decisions: dict[EnrolmentKey, ProgressDecision] = {}
    for group in groups:
        found = inputs.get(group.key)
        if isinstance(found, LernError):
            fail_each(group.items, found)
        elif found is not None:
            decisions[group.key] = decide_progress(
                found,
                now=now,
                filter_processed=settings.activity_filter_processed_enrolments,
                units=settings.activity_module_aggs_enabled,
            )
    if settings.activity_input_dedup_enabled:
        world.seen.intend(
            {_checksum(key, content): p for key, d in decisions.items() for content, p in d.pending.items()}
        )
    errors = enrolment_progress.write(decisions.values(), tokens, now, world)
    for group in groups:
        if group.key in errors:
            fail_each(group.items, errors[group.key])
    return {key: decision for key, decision in decisions.items() if key not in errors}


def _uncounted(groups: Sequence[Group], world: World) -> list[enrolment_progress.Wanted]:
    """What to count of each enrolment; records that were counted before are skipped."""
    if not world.settings.activity_aggregate_updater.activity_input_dedup_enabled:
        return [
            enrolment_progress.Wanted(group.key, group.completed, group.completed, {}, group.delivered_before)
            for group in groups
        ]
    checksums = {(group.key, content): _checksum(group.key, content) for group in groups for content in group.completed}
    marked, pending = world.seen.read(checksums.values())
    wanted = []
    for group in groups:
        fresh = frozenset(content for content in group.completed if checksums[group.key, content] not in marked)
        for item in group.items:
            contents = _contents(item)
            if contents and fresh.isdisjoint(contents):
                item.skip("counted before")
        if any(item.outcome is None for item in group.items):
            noted = {c: pending[checksums[group.key, c]] for c in fresh if checksums[group.key, c] in pending}
            wanted.append(enrolment_progress.Wanted(group.key, group.completed, fresh, noted, group.delivered_before))
    return wanted


def _finish(
    groups: Sequence[Group], decisions: dict[EnrolmentKey, ProgressDecision], lost: set[EnrolmentKey], world: World
) -> None:
    """Hand on, publish audits, and mark as seen; last of all the records are done."""
    count("lock-lost", len(lost), job=JOB)
    for group in groups:
        if group.key in lost:
            fail_each(group.items, LockBusy("the lock was lost before the rows were written"))
    kept = [group for group in groups if group.key in decisions and group.key not in lost]
    _hand_on(kept, decisions, world)
    _publish_audits([decisions[group.key] for group in kept], world)
    if world.settings.activity_aggregate_updater.activity_input_dedup_enabled:
        world.seen.mark(_checksum(group.key, content) for group in kept for content in decisions[group.key].pending)
    for group in kept:
        for item in group.items:
            if item.outcome is None:
                item.done()


def _hand_on(groups: Sequence[Group], decisions: dict[EnrolmentKey, ProgressDecision], world: World) -> None:
    topic = world.settings.topic(world.settings.activity_aggregate_updater.kafka_certissue_topic)
    steps = [
        Step(
            job="collection_cert_pre_processor",
            event=issue_event(group.key, now_ms=world.now_ms()),
            topic=topic,
            key=group.key.user_id,
            business_key=group.key.text,
            cause=group.items[0].record,
        )
        for group in groups
        if decisions[group.key].certificate
    ]
    hand_on(world, steps)
    count("cert-issue-events-count", len(steps), job=JOB)


def _publish_audits(decisions: Sequence[ProgressDecision], world: World) -> None:
    now_ms = world.now_ms()
    events = [
        audit.content_audit(decision.key, content, action, now_ms=now_ms)
        for decision in decisions
        for content, action in decision.content_audits
    ]
    events += [audit.enrolment_audit(d.key, now_ms=now_ms) for d in decisions if d.completion_audit]
    publish_events(world, world.settings.activity_aggregate_updater.kafka_audit_topic, events)


def _checksum(key: EnrolmentKey, content: str) -> str:
    return dedup_checksum(key.course_id, key.batch_id, key.user_id, content, COMPLETED)
