"""Requests for reconciliation, and what is stored before they come."""

from typing import Any, Final

from lern_tasks.jobs.progress.sync_request import sync_event
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from tests.harness.course import KEY, consumed
from tests.harness.in_process import Chain

JOB: Final = "enrolment_reconciliation"
REQUIRED = {"r1": 2, "r2": 2, "r3": 2}


def sync(key: EnrolmentKey = KEY, **edata: Any) -> dict[str, Any]:
    """The event that asks for a reconciliation, some of its data replaced."""
    event = sync_event(key, now_ms=1_700_000_000_000)
    event["edata"] |= edata
    return event


def store(chain: Chain, contents: dict[str, int], key: EnrolmentKey = KEY) -> None:
    """Store contents as the learner service does: without counters."""
    for content, status in contents.items():
        consumed(chain, content, key, status=status)


def reconcile(chain: Chain, *keys: EnrolmentKey) -> dict[str, int]:
    """Deliver one message with a record for each key; the counts that are not 0."""
    counts = chain.run(JOB, *(chain.record(sync(key)) for key in keys or (KEY,)))
    return {name: number for name, number in counts.items() if number}
