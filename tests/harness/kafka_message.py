"""A job whose records are what a test says, and one message of it."""

from collections.abc import Callable
from typing import Any

from lern_tasks.catalogue import EventJob
from lern_tasks.delivery.batch import Batch, Skipped
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.task import ReceivedMessage, run_message
from lern_tasks.errors import InvalidEvent

JOB: EventJob = "relation_cache_updater"


def parse(value: str | None) -> str | Skipped:
    """The value itself, "bad" as invalid, "other" as of another job."""
    if value is None or value == "bad":
        raise InvalidEvent("bad value", "edata.x")
    return Skipped(reason="not mine") if value == "other" else value


def record(value: str | None = "v", **changes: Any) -> Record:
    """A record as the bridge reads it, with `changes`."""
    return Record(value=value, topic="dev.t", partition=0, offset=7, key="k").next(**changes)


def run(
    ctx: Resources, body: Callable[[Batch[str], Resources], None], *records: Record, tag: str = "tag"
) -> dict[str, int]:
    """Run `body` as the job on one message; how many records came to what."""
    wire = [entry.to_wire() for entry in records]
    return run_message(JOB, parse, body, ctx=ctx, message=ReceivedMessage(task_id="id", delivery_id=tag, wire=wire))
