"""What follows what: handing records on to the next job, and audit events to their topic.

By Celery, or by the documented topic where a Flink job is the next stage. See docs/architecture.md, "Hand-off".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec

from lern_tasks.catalogue import EVENT_JOBS, JobName
from lern_tasks.connections.kafka import OutMessage
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.task_sender import derived_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """One event for the next job.

    `topic` is where the event goes (or would go) by Kafka, `key` its Kafka key; `business_key` says what the event is
    about, and `cause` is the record that led to it: the same two always give the same task id.
    """

    job: JobName
    event: Mapping[str, Any]
    topic: str
    key: str
    business_key: str
    cause: Record


def hand_off(ctx: Resources, steps: Sequence[Handoff]) -> None:
    """Hand every step on. Raises DependencyDown when one was not taken; handing on again does no harm."""
    by_topic = [step for step in steps if step.job in EVENT_JOBS and ctx.settings.job(step.job).hand_off == "kafka"]
    send(ctx, [step for step in steps if step not in by_topic])
    publish(ctx, [_message(step.topic, step.event, step.key) for step in by_topic])


def send(ctx: Resources, steps: Sequence[Handoff]) -> None:
    """Send every step to its task, whatever the setting says; neighbours are packed as the bridge packs them.

    Raises DependencyDown.
    """
    for (job, _), group in groupby(steps, key=lambda step: (step.job, step.cause.bulk)):
        size = ctx.settings.records_per_task(job) if job in EVENT_JOBS else 1
        for packed in _batched(list(group), size):
            task_id = derived_id(job, *(part for step in packed for part in _identity(step)))
            ctx.sender.send(job, [_record(ctx, step) for step in packed], task_id=task_id)


def _batched(steps: Sequence[Handoff], size: int) -> Iterator[Sequence[Handoff]]:
    """`steps` in groups of at most `size`."""
    return (steps[start : start + size] for start in range(0, len(steps), size))


def _identity(step: Handoff) -> tuple[object, ...]:
    origin = step.cause.first_origin
    return step.business_key, origin.topic, origin.partition, origin.offset


def publish_events(ctx: Resources, topic: str, events: Iterable[Mapping[str, Any]]) -> None:
    """Publish events without key, as audit events have none. Raises DependencyDown."""
    publish(ctx, [_message(ctx.settings.topic(topic), event, None) for event in events])


def publish(ctx: Resources, messages: Sequence[OutMessage]) -> None:
    """Publish with one flush. Raises the first error, when there is one."""
    if messages:
        for error in ctx.kafka.publish(messages):
            if error is not None:
                raise error


def _message(topic: str, event: Mapping[str, Any], key: str | None) -> OutMessage:
    return OutMessage(topic=topic, value=msgspec.json.encode(event), key=key.encode() if key is not None else None)


def _record(ctx: Resources, step: Handoff) -> Record:
    return Record(
        value=msgspec.json.encode(step.event).decode(),
        topic=step.topic,
        key=step.key,
        timestamp=ctx.now_ms(),
        origin=step.cause.first_origin,
        bulk=step.cause.bulk,
    )
