"""What follows what: handing records on to the next job, and audit events to their topic.

By Celery, or by the documented topic where a Flink job is the next stage. See docs/architecture.md, "Hand-on".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec

from lern_tasks.catalogue import EVENT_JOBS, JobName
from lern_tasks.connections.kafka import OutMessage
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import World
from lern_tasks.delivery.task_sender import derived_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
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


def hand_on(world: World, steps: Sequence[Step]) -> None:
    """Hand every step on. Raises DependencyDown when one was not taken; handing on again does no harm."""
    by_topic = [step for step in steps if step.job in EVENT_JOBS and world.settings.job(step.job).hand_on == "kafka"]
    send(world, [step for step in steps if step not in by_topic])
    publish(world, [_message(step.topic, step.event, step.key) for step in by_topic])


def send(world: World, steps: Sequence[Step]) -> None:
    """Send every step to its task, whatever the setting says; neighbours are packed as the bridge packs them.

    Raises DependencyDown.
    """
    for (job, _), group in groupby(steps, key=lambda step: (step.job, step.cause.bulk)):
        size = world.settings.records_per_task(job) if job in EVENT_JOBS else 1
        for packed in _batched(list(group), size):
            task_id = derived_id(job, *(part for step in packed for part in _identity(step)))
            world.sender.send(job, [_record(world, step) for step in packed], task_id=task_id)


def _batched(steps: Sequence[Step], size: int) -> Iterator[Sequence[Step]]:
    """`steps` in groups of at most `size`."""
    return (steps[start : start + size] for start in range(0, len(steps), size))


def _identity(step: Step) -> tuple[object, ...]:
    origin = step.cause.first_origin
    return step.business_key, origin.topic, origin.partition, origin.offset


def publish_events(world: World, topic: str, events: Iterable[Mapping[str, Any]]) -> None:
    """Publish events without key, as audit events have none. Raises DependencyDown."""
    publish(world, [_message(world.settings.topic(topic), event, None) for event in events])


def publish(world: World, messages: Sequence[OutMessage]) -> None:
    """Publish with one flush. Raises the first error, when there is one."""
    if messages:
        for error in world.kafka.publish(messages):
            if error is not None:
                raise error


def _message(topic: str, event: Mapping[str, Any], key: str | None) -> OutMessage:
    return OutMessage(topic=topic, value=msgspec.json.encode(event), key=key.encode() if key is not None else None)


def _record(world: World, step: Step) -> Record:
    return Record(
        value=msgspec.json.encode(step.event).decode(),
        topic=step.topic,
        key=step.key,
        timestamp=world.now_ms(),
        origin=step.cause.first_origin,
        bulk=step.cause.bulk,
    )
