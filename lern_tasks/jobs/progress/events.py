"""Events of `{env}.coursebatch.job.request` and `{env}.batch.enrolment.sync.request`.

See docs/jobs/activity_aggregate_updater.md and docs/jobs/enrolment_reconciliation.md, section "Event".
"""

from dataclasses import dataclass
from typing import Any

from lern_tasks.delivery.batch import Skipped
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.progress.rules.content_counts import COMPLETED
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.envelope import action_of, decode, edata, enrolment_key, event_time, optional_id, required_list
from lern_tasks.sunbird.json_text import json_type

PROGRESS_ACTION = "batch-enrolment-update"
SYNC_ACTION = "batch-enrolment-sync"
RECONCILE_ACTION = "user-enrolment-sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressEvent:
    """A learner completed `contents` (ids, each once, in the event's order; may be empty: recompute all the same).

    `ets` is when the event was made, epoch ms, None when it does not say.
    """

    key: EnrolmentKey
    contents: tuple[str, ...]
    ets: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRequest:
    """Accounts were merged: recompute the enrolment. With `reconciled` it was handed off to reconciliation before."""

    key: EnrolmentKey
    reconciled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileRequest:
    """Somebody asks to compute this enrolment again from what is stored."""

    key: EnrolmentKey


def parse(value: str | None) -> ProgressEvent | SyncRequest | Skipped:
    """Read the value of a record. Raises InvalidEvent; see the section for what is invalid and what is skipped."""
    event = decode(value)
    data = edata(event)
    action = action_of(data).lower()
    if action == SYNC_ACTION:
        return SyncRequest(key=enrolment_key(data), reconciled=data.get("reconciled") is True)
    if action != PROGRESS_ACTION:
        return Skipped(reason="another action")
    key = enrolment_key(data)
    completed = [content for content in required_list(data, "contents") if _is_completed(content)]
    if not completed:
        return Skipped(reason="no completed content")
    ids = (optional_id(content, "contentId", path="edata.contents[]") for content in completed)
    return ProgressEvent(
        key=key,
        contents=tuple(dict.fromkeys(content_id for content_id in ids if content_id is not None)),
        ets=event_time(event),
    )


def parse_reconcile(value: str | None) -> ReconcileRequest | Skipped:
    """Read the value of a request to reconcile. Raises InvalidEvent; see the section for what is skipped."""
    data = edata(decode(value))
    if action_of(data).lower() != RECONCILE_ACTION:
        return Skipped(reason="another action")
    return ReconcileRequest(key=enrolment_key(data))


def _is_completed(content: Any) -> bool:
    """Whether the content's status is the number 2; neither the text "2" nor a greater number is."""
    if not isinstance(content, dict):
        raise InvalidEvent(
            f"edata.contents[] has {json_type(content)} in it; send objects with contentId and status",
            "edata.contents[]",
        )
    status = content.get("status")
    return isinstance(status, int | float) and not isinstance(status, bool) and status == COMPLETED
