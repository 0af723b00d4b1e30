"""The events that ask for certificates. See docs/jobs/collection_cert_pre_processor.md, "Rows"."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lern_tasks.cloud_storage import CloudStorage
from lern_tasks.jobs.certificates.rules.template import Template
from lern_tasks.sunbird.audit_event import business_uuid
from lern_tasks.sunbird.certificate_name import name_key
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_ESCAPED = re.compile(r"\\([0-3]?[0-7]{1,2}|.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibleCertificate:
    """A template that a user has earned, with all that its certificate says.

    `completed_ms`: the day of issue, epoch ms. `percent` is None when no assessment was asked for; `enrolment` has the
    columns that the template asks for, by the names that it gives them.
    """

    key: EnrolmentKey
    template: Template
    old_id: str
    completed_ms: int
    user: Mapping[str, Any]
    course_name: str
    percent: Mapping[str, float] | None
    enrolment: Mapping[str, Any]


def issue_event(
    key: EnrolmentKey, *, now_ms: int, reissue: bool = False, old_id: str = "", attempt_id: str | None = None
) -> dict[str, Any]:
    """The event that asks the pre-processor for the certificates of one enrolment. `now_ms` is epoch ms.

    `old_id` is the one certificate to be issued again, empty for all. `attempt_id` is what assessments add; None leaves
    the field out.
    """
    event: dict[str, Any] = {
        "eid": "BE_JOB_REQUEST",
        "ets": now_ms,
        "mid": f"LP.{now_ms}.{business_uuid('issue', key.user_id, key.course_id, key.batch_id)}",
        "actor": {"id": "Course Certificate Generator", "type": "System"},
        "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}},
        "object": {"id": f"{key.batch_id}_{key.course_id}", "type": "CourseCertificateGeneration"},
        "edata": {
            "userIds": [key.user_id],
            "action": "issue-certificate",
            "iteration": 1,
            "trigger": "auto-issue",
            "batchId": key.batch_id,
            "reIssue": reissue,
            "courseId": key.course_id,
        },
    }
    if old_id:
        event["edata"]["oldId"] = old_id
    if attempt_id is not None:
        event["edata"]["attemptId"] = attempt_id
    return event


def business_key(certificate: EligibleCertificate) -> str:
    """What the certificate is, whatever event it comes from: learner, course, batch, name, and what it replaces."""
    return json.dumps(
        [
            certificate.key.user_id,
            certificate.key.course_id,
            certificate.key.batch_id,
            name_key(certificate.template.name),
            certificate.old_id,
        ]
    )


def generate_event(
    certificate: EligibleCertificate, storage: CloudStorage, *, cert_base: str, now_ms: int
) -> dict[str, Any]:
    """The event that asks the generator for one certificate. `cert_base` ends in `/certs`; `now_ms` is epoch ms."""
    key, template = certificate.key, certificate.template
    return {
        "actor": {"id": "Certificate Generator", "type": "System"},
        "eid": "BE_JOB_REQUEST",
        "edata": {
            "issuedDate": _day(certificate.completed_ms),
            "data": [{"recipientName": recipient_name(certificate.user), "recipientId": key.user_id}],
            "criteria": {"narrative": template.name},
            "svgTemplate": storage.opened(template.url),
            "oldId": certificate.old_id,
            "templateId": template.template_id,
            "userId": key.user_id,
            "orgId": certificate.user.get("rootOrgId", ""),
            "issuer": template.issuer,
            "signatoryList": template.signatories,
            "courseName": clean_course_name(certificate.course_name),
            "basePath": cert_base,
            "related": _related(certificate),
            "name": template.name,
            "tag": key.batch_id,
        },
        "ets": now_ms,
        "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.learning.platform"}},
        "mid": f"LMS.{business_uuid('generate', business_key(certificate))}",
        "object": {"id": key.user_id, "type": "GenerateCertificate"},
    }


def recipient_name(user: Mapping[str, Any]) -> str:
    """First and last name; a null, or the text `null`, is no name."""
    parts = (user.get("firstName"), user.get("lastName"))
    return " ".join(part for part in parts if isinstance(part, str) and part and part.lower() != "null").strip()


def clean_course_name(name: str) -> str:
    """The name with backslash escapes read, unknown ones left as they are, and control characters removed."""
    return _CONTROL.sub("", _ESCAPED.sub(_unescaped, name))


def _unescaped(match: re.Match[str]) -> str:
    text = match.group(1)
    if text[0] in "01234567":
        return chr(int(text, 8))
    return _ESCAPES.get(text, match.group(0))


def _day(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, tz=UTC).strftime("%Y-%m-%d")


def _related(certificate: EligibleCertificate) -> dict[str, Any]:
    """Additional properties; batch, course and type are what the generator keys on and cannot be overwritten."""
    wanted, user = certificate.template.additional, certificate.user
    related: dict[str, Any] = {}
    location = _location(user, wanted.get("location", ()))
    if location:
        related["location"] = location
    if certificate.enrolment:
        related["enrollment"] = dict(certificate.enrolment)
    if certificate.percent is not None and "score" in wanted.get("assessment", ()):
        related["assessment"] = {"score": dict(certificate.percent)}
    related |= {name: user[name] for name in wanted.get("user", ()) if name in user}
    if wanted.get("course"):
        related["course"] = {"name": clean_course_name(certificate.course_name)}
    return related | {
        "batchId": certificate.key.batch_id,
        "courseId": certificate.key.course_id,
        "type": certificate.template.name,
    }


def _location(user: Mapping[str, Any], types: tuple[str, ...]) -> dict[str, Any]:
    found = user.get("userLocations")
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    return {entry["type"]: entry.get("name") for entry in entries if entry.get("type") in types}
