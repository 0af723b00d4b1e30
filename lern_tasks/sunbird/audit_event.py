"""AUDIT telemetry: the events by which dashboards follow learners. See docs/jobs/activity_aggregate_updater.md, "Rows".

`mid`, `sid` and `did` are derived from what the event is about, so a redelivery repeats the event under the same `mid`
and a consumer can drop the double.
"""

import json
from typing import Any, Literal
from uuid import NAMESPACE_DNS, UUID, uuid5

from lern_tasks.sunbird.enrolment_key import EnrolmentKey

Action = Literal["start", "complete"]
"""A content viewed, or completed, for the first time."""

_NAMESPACE = uuid5(NAMESPACE_DNS, "lern-tasks")

# Constants of the Flink jobs on which dashboards filter.
_PROGRESS_CHANNEL = "in.sunbird"
_CERTIFICATE_CHANNEL = "in.ekstep"
_PROPS: dict[Action, list[str]] = {"start": ["viewcount"], "complete": ["viewcount", "completedcount"]}


def business_uuid(*parts: str) -> UUID:
    """The same UUID for the same parts, always; a JSON list, so that no two lists of parts read alike."""
    return uuid5(_NAMESPACE, json.dumps(parts))


def content_audit(key: EnrolmentKey, content_id: str, action: Action, *, now_ms: int) -> dict[str, Any]:
    """A content was viewed (`start`) or completed for the first time. `now_ms` is epoch ms."""
    return _progress_audit(
        key,
        parts=("content", *_parts(key), content_id, action),
        edata={"props": list(_PROPS[action]), "type": action},
        cdata=[{"type": "CourseBatch", "id": key.batch_id}],
        subject={"id": content_id, "type": "Content", "rollup": {"l1": key.course_id}},
        now_ms=now_ms,
    )


def enrolment_audit(key: EnrolmentKey, *, now_ms: int) -> dict[str, Any]:
    """The learner completed the course. `now_ms` is epoch ms."""
    return _progress_audit(
        key,
        parts=("enrolment", *_parts(key), "enrol-complete"),
        edata={"props": ["status", "completedon"], "type": "enrol-complete"},
        cdata=[{"type": "CourseBatch", "id": key.batch_id}, {"type": "Course", "id": key.course_id}],
        subject={"id": key.user_id, "type": "User", "rollup": {"l1": key.course_id}},
        now_ms=now_ms,
    )


def certificate_audit(key: EnrolmentKey, certificate_id: str, *, now_ms: int) -> dict[str, Any]:
    """A certificate was issued. `now_ms` is epoch ms.

    The Flink job put the time into `mid`; here it is left out, as a repeated event must have the same `mid`.
    """
    parts = ("certificate", *_parts(key), certificate_id)
    return {
        "eid": "AUDIT",
        "ets": now_ms,
        "mid": f"LP.AUDIT.{business_uuid(*parts)}",
        "ver": "3.0",
        "actor": {"id": key.user_id, "type": "User"},
        "context": _context(
            parts,
            channel=_CERTIFICATE_CHANNEL,
            pdata={"ver": "1.0", "id": "org.sunbird.learning.platform", "pid": "course-certificate-generator"},
            cdata=[{"type": "CourseBatch", "id": key.batch_id}],
        ),
        "object": {"id": certificate_id, "type": "Certificate", "rollup": {"l1": key.course_id}},
        "edata": {"props": ["certificates"], "type": "certificate-issued-svg"},
    }


def _progress_audit(
    key: EnrolmentKey,
    *,
    parts: tuple[str, ...],
    edata: dict[str, Any],
    cdata: list[dict[str, str]],
    subject: dict[str, Any],
    now_ms: int,
) -> dict[str, Any]:
    return {
        "actor": {"id": key.user_id, "type": "User"},
        "eid": "AUDIT",
        "edata": edata,
        "ver": "3.0",
        "syncts": now_ms,
        "ets": now_ms,
        "context": _context(
            parts,
            channel=_PROGRESS_CHANNEL,
            pdata={"ver": "3.0", "id": "org.sunbird.learning.platform", "pid": "course-progress-updater"},
            cdata=cdata,
        ),
        "mid": f"LP.AUDIT.{business_uuid(*parts)}",
        "object": subject,
        "tags": [],
    }


def _context(
    parts: tuple[str, ...], *, channel: str, pdata: dict[str, str], cdata: list[dict[str, str]]
) -> dict[str, Any]:
    return {
        "channel": channel,
        "env": "Course",
        "sid": str(business_uuid("sid", *parts)),
        "did": str(business_uuid("did", *parts)),
        "pdata": pdata,
        "cdata": cdata,
    }


def _parts(key: EnrolmentKey) -> tuple[str, str, str]:
    return key.user_id, key.course_id, key.batch_id
