"""The documented certificate without the registry, and ways to change it."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from lern_tasks.jobs.certificates.rules.document import Details, Document
from tests.jobs.certificates.rules.certificates import ISSUER, KEY, SIGNATORY

BASE = "https://dev.sunbirded.org/certs"
TAG = "0139000000000001"
ID = "7a0c0000-0000-5000-8000-00000000000a"
RELATED = {"batchId": TAG, "courseId": "do_9001", "type": "Course Merit"}


def document(**changes: Any) -> Document:
    """The documented certificate; `changes` are fields of the document or of its details."""
    values: dict[str, Any] = {
        "certificate_id": ID,
        "base": BASE,
        "key": KEY,
        "name": "Course Merit",
        "recipient_name": "Asha Rao",
        "course_name": "Fractions 101",
        "issuer": ISSUER,
        "signatories": [SIGNATORY],
        "old_id": "",
        "issued_on": datetime(2024, 2, 29, tzinfo=UTC),
    }
    details: dict[str, Any] = {
        "tag": TAG,
        "narrative": "Course Merit",
        "description": "",
        "logo": "",
        "valid_from": "",
        "expiry": "",
        "signing_key": "",
        "related": RELATED,
    }
    of_details = {field.name for field in fields(Details)}
    details |= {name: value for name, value in changes.items() if name in of_details}
    values |= {name: value for name, value in changes.items() if name not in of_details}
    return Document(**values, details=Details(**details))
