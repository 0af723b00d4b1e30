"""Requests for certificates, as the stages before send them."""

from typing import Any

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from tests.harness.course import KEY
from tests.jobs.certificates.rules.certificates import ISSUER, SIGNATORY


def generate(name: str = "Course Merit", *, old_id: str = "", key: EnrolmentKey = KEY, **edata: Any) -> dict[str, Any]:
    """The event that asks the generator; None leaves a field out."""
    fields = {
        "issuedDate": "2024-02-29",
        "data": [{"recipientName": "Asha Rao", "recipientId": key.user_id}],
        "criteria": {"narrative": name},
        "svgTemplate": "https://cdn.example/merit.svg",
        "oldId": old_id,
        "templateId": "tpl_0",
        "userId": key.user_id,
        "orgId": "0123456789",
        "issuer": ISSUER,
        "signatoryList": [SIGNATORY],
        "courseName": "Fractions 101",
        "basePath": "https://dev.sunbirded.org/certs",
        "related": {"batchId": key.batch_id, "courseId": key.course_id, "type": name},
        "name": name,
        "tag": key.batch_id,
        **edata,
    }
    return {"eid": "BE_JOB_REQUEST", "edata": {field: value for field, value in fields.items() if value is not None}}


def issue(*users: str, reissue: bool | None = False, **edata: Any) -> dict[str, Any]:
    """The event that asks the pre-processor."""
    fields = {
        "userIds": list(users),
        "action": "issue-certificate",
        "batchId": KEY.batch_id,
        "courseId": KEY.course_id,
        "reIssue": reissue,
        **edata,
    }
    return {"eid": "BE_JOB_REQUEST", "ets": 1_709_164_900_000, "edata": fields}
