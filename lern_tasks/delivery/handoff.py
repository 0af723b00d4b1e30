"""What follows what: events for the next job, and audit events for their topic.

By Celery, or by the documented topic where a Flink job is the next stage. See docs/architecture.md, "Hand-off".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec

from lern_tasks.catalogue import JobName
from lern_tasks.connections.kafka import OutMessage
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.task_sender import derived_id
from lern_tasks.errors import LernError
from lern_tasks.logs import logger

_THROTTLE = 60
"""Seconds between two hand-offs of one key: what many records wait for is asked for once, and again when lost."""

_log = logger(__name__)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottledHandoff:
    """The remedy of records that are not ready: a hand-off that brings what they wait for, at most once a minute.

    `key` says what is waited for, across all processes; `make` gives the hand-off at the time when it is due, and for
    the record that waits first.
    """

    key: str
    make: Callable[[Resources, Record], Handoff]

    def ask(self, ctx: Resources, cause: Record) -> None:
        """Hand off, unless somebody has within the last minute. What fails is logged: what waits asks again."""
        try:
            if ctx.idempotency_keys.claim(self.key, expiry=_THROTTLE):
                hand_off(ctx, [self.make(ctx, cause)])
        except LernError as error:
            # It is a help; what needs the data is tried again all the same.
            _log.warning("remedy_not_requested", key=self.key, code=error.code, error=str(error))


def hand_off(ctx: Resources, handoffs: Sequence[Handoff]) -> None:
    """Hand all of them off. Raises DependencyDown when one was not taken; handing off again does no harm."""
    send(ctx, [handoff for handoff in handoffs if ctx.settings.hand_off(handoff.job) == "celery"])
    by_topic = [handoff for handoff in handoffs if ctx.settings.hand_off(handoff.job) == "kafka"]
    publish(ctx, [_message(handoff.topic, handoff.event, handoff.key) for handoff in by_topic])


def send(ctx: Resources, handoffs: Sequence[Handoff]) -> None:
    """Send each to its task, whatever the setting says; neighbours are packed as the bridge packs them.

    Raises DependencyDown.
    """
    for (job, _), group in groupby(handoffs, key=lambda handoff: (handoff.job, handoff.cause.bulk)):
        for packed in _batched(list(group), ctx.settings.records_per_task(job)):
            task_id = derived_id(job, *(part for handoff in packed for part in _identity(handoff)))
            ctx.sender.send(job, [_record(ctx, handoff) for handoff in packed], task_id=task_id)


def _batched(handoffs: Sequence[Handoff], size: int) -> Iterator[Sequence[Handoff]]:
    """`handoffs` in groups of at most `size`."""
    return (handoffs[start : start + size] for start in range(0, len(handoffs), size))


def _identity(handoff: Handoff) -> tuple[object, ...]:
    origin = handoff.cause.first_origin
    return handoff.business_key, origin.topic, origin.partition, origin.offset


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


def _record(ctx: Resources, handoff: Handoff) -> Record:
    return Record(
        value=msgspec.json.encode(handoff.event).decode(),
        topic=handoff.topic,
        key=handoff.key,
        timestamp=ctx.now_ms(),
        origin=handoff.cause.first_origin,
        bulk=handoff.cause.bulk,
    )
