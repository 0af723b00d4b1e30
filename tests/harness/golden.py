"""Events as the documents print them; ids that are derived are matched by their form."""

import re
from typing import Any

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


class Like:
    """Equal to every text that the pattern matches wholly."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(self._pattern, other) is not None

    def __repr__(self) -> str:
        return f"Like({self._pattern})"

    __hash__ = None  # type: ignore[assignment]


def progress_audit(edata: dict[str, Any], cdata: list[dict[str, str]], subject: dict[str, Any]) -> dict[str, Any]:
    """AUDIT of the aggregate jobs."""
    return {
        "actor": {"id": "u1", "type": "User"},
        "eid": "AUDIT",
        "edata": edata,
        "ver": "3.0",
        "syncts": 1700000000000,
        "ets": 1700000000000,
        "context": {
            "channel": "in.sunbird",
            "env": "Course",
            "sid": Like(UUID),
            "did": Like(UUID),
            "pdata": {"ver": "3.0", "id": "org.sunbird.learning.platform", "pid": "course-progress-updater"},
            "cdata": cdata,
        },
        "mid": Like(f"LP\\.AUDIT\\.{UUID}"),
        "object": subject,
        "tags": [],
    }


CONTENT_STARTED = progress_audit(
    {"props": ["viewcount"], "type": "start"},
    [{"type": "CourseBatch", "id": "b1"}],
    {"id": "r1", "type": "Content", "rollup": {"l1": "do_c1"}},
)

CONTENT_COMPLETED = progress_audit(
    {"props": ["viewcount", "completedcount"], "type": "complete"},
    [{"type": "CourseBatch", "id": "b1"}],
    {"id": "r1", "type": "Content", "rollup": {"l1": "do_c1"}},
)

COURSE_COMPLETED = progress_audit(
    {"props": ["status", "completedon"], "type": "enrol-complete"},
    [{"type": "CourseBatch", "id": "b1"}, {"type": "Course", "id": "do_c1"}],
    {"id": "u1", "type": "User", "rollup": {"l1": "do_c1"}},
)

ISSUE = {
    "eid": "BE_JOB_REQUEST",
    "ets": 1700000000000,
    "mid": Like(f"LP\\.1700000000000\\.{UUID}"),
    "actor": {"id": "Course Certificate Generator", "type": "System"},
    "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}},
    "object": {"id": "b1_do_c1", "type": "CourseCertificateGeneration"},
    "edata": {
        "userIds": ["u1"],
        "action": "issue-certificate",
        "iteration": 1,
        "trigger": "auto-issue",
        "batchId": "b1",
        "reIssue": False,
        "courseId": "do_c1",
    },
}

GENERATE = {
    "actor": {"id": "Certificate Generator", "type": "System"},
    "eid": "BE_JOB_REQUEST",
    "edata": {
        "issuedDate": "2024-02-29",
        "data": [{"recipientName": "Asha Rao", "recipientId": "u1"}],
        "criteria": {"narrative": "Course Merit"},
        "svgTemplate": "https://obj.dev.sunbirded.org/sunbird-content-staging/content/tpl_7/artifact/merit.svg",
        "oldId": "",
        "templateId": "tpl_0",
        "userId": "u1",
        "orgId": "0123456789",
        "issuer": {"name": "State Council", "url": "https://council.example/"},
        "signatoryList": [
            {"name": "R. Iyer", "id": "CEO", "designation": "CEO", "image": "https://cdn.example/sign.png"}
        ],
        "courseName": "Fractions 101",
        "basePath": "https://dev.sunbirded.org/certs",
        "related": {"batchId": "b1", "courseId": "do_c1", "type": "Course Merit"},
        "name": "Course Merit",
        "tag": "b1",
    },
    "ets": 1700000000000,
    "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.learning.platform"}},
    "mid": Like(f"LMS\\.{UUID}"),
    "object": {"id": "u1", "type": "GenerateCertificate"},
}


def certificate_issued(osid: str) -> dict[str, Any]:
    """AUDIT of the generator."""
    return {
        "eid": "AUDIT",
        "ets": 1700000000000,
        "mid": Like(f"LP\\.AUDIT\\.{UUID}"),
        "ver": "3.0",
        "actor": {"id": "u1", "type": "User"},
        "context": {
            "channel": "in.ekstep",
            "env": "Course",
            "sid": Like(UUID),
            "did": Like(UUID),
            "pdata": {"ver": "1.0", "id": "org.sunbird.learning.platform", "pid": "course-certificate-generator"},
            "cdata": [{"type": "CourseBatch", "id": "b1"}],
        },
        "object": {"id": osid, "type": "Certificate", "rollup": {"l1": "do_c1"}},
        "edata": {"props": ["certificates"], "type": "certificate-issued-svg"},
    }
