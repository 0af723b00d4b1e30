"""The certificate as a JSON document in the manner of Open Badges, and what the old registry is sent of it.

See docs/jobs/collection_certificate_generator.md, "Document". The forms of the addresses are those of all certificates
that were ever issued, with the tag twice in the badge and without a slash in the signatory's context: what verifies
certificates depends on them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lern_tasks.jobs.certificates.rules.expiry import expires, written
from lern_tasks.sunbird.audit_event import business_uuid
from lern_tasks.sunbird.certificate_name import name_key
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_SIGNATORY = {"identity": "id", "designation": "designation", "image": "image", "name": "name"}
"""Member of the document by member of the event's signatory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What an event has for the document alone; empty where it has nothing.

    `expiry` is a time, or terms such as `1y 6m`; `related` goes to the registry as it is.
    """

    tag: str
    narrative: str
    description: str
    logo: str
    valid_from: str
    expiry: str
    signing_key: str
    related: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A certificate to write. `base` ends in `/certs`; `issued_on` is aware; `old_id` is empty for a first issue."""

    certificate_id: str
    base: str
    key: EnrolmentKey
    name: str
    recipient_name: str
    course_name: str
    issuer: Mapping[str, Any]
    signatories: Sequence[Any]
    old_id: str
    issued_on: datetime
    details: Details

    @property
    def file_name(self) -> str:
        """Name of the file in its container; after `base` it is the address too."""
        tag = self.details.tag.strip()
        return f"{tag}/{self.certificate_id}.json" if tag else f"{self.certificate_id}.json"

    @property
    def address(self) -> str:
        """What the QR code leads to."""
        return f"{self.base}/{self.certificate_id}"

    @property
    def tagged(self) -> str:
        """The base with the tag, when there is one."""
        tag = self.details.tag.strip()
        return f"{self.base}/{tag}" if tag else self.base


def certificate_id(key: EnrolmentKey, name: str, old_id: str, cause: Sequence[object]) -> str:
    """The id of the certificate that the event `cause` (its coordinates) leads to, the same at each delivery."""
    what = (key.user_id, key.course_id, key.batch_id, name_key(name), old_id, *map(str, cause))
    return str(business_uuid("certificate", *what))


def certificate_object(document: Document) -> dict[str, Any]:
    """The document without picture and signature. Raises InvalidEvent for an expiry that no calendar has."""
    context = f"{document.base}/v1/context.json"
    certificate: dict[str, Any] = {
        "@context": context,
        "id": f"{document.tagged}/{document.certificate_id}",
        "type": ["Assertion", "Extension", "extensions:CertificateExtension"],
        "issuedOn": written(document.issued_on),
        "expires": expires(document.details.expiry, document.issued_on),
        "validFrom": document.details.valid_from or None,
        "revoked": False,
        "recipient": {
            "@context": context,
            "identity": document.key.user_id,
            "type": ["id"],
            "hashed": False,
            "name": document.recipient_name,
        },
        "badge": _badge(document, context),
        "evidence": _evidence(document, context),
        "signatory": [_signatory(document, entry) for entry in document.signatories if isinstance(entry, dict)],
    }
    return _present(certificate)


def signature(document: Document, value: str, *, created_ms: int) -> dict[str, str]:
    """The member `signature` for the `value` that the signing service gave. `created_ms` is epoch ms."""
    created = datetime.fromtimestamp(created_ms / 1000, tz=UTC)
    return {
        "type": "LinkedDataSignature2015",
        "creator": f"{document.tagged}/{document.details.signing_key}_publicKey.json",
        "created": f"{created:%Y-%m-%dT%H:%M:%S}.{created.microsecond // 1000:03d}Z",
        "signatureValue": value,
    }


def register_request(document: Document, certificate: Mapping[str, Any], access_code: str) -> dict[str, Any]:
    """The body of the call that adds the certificate to the old registry."""
    request: dict[str, Any] = {
        "id": document.certificate_id,
        "jsonUrl": f"{document.base}/{document.file_name}",
        "jsonData": certificate,
        "accessCode": access_code,
        "recipientName": document.recipient_name,
        "recipientId": document.key.user_id,
        "related": document.details.related,
    }
    if document.old_id:
        request["oldId"] = document.old_id
    return {"request": request}


def _badge(document: Document, context: str) -> dict[str, Any]:
    # The tag twice: see above.
    tagged = f"{document.tagged}/{document.details.tag.strip()}" if document.details.tag.strip() else document.base
    return _present(
        {
            "@context": context,
            "id": f"{tagged}/Badge.json",
            "type": ["BadgeClass"],
            "name": document.course_name or document.name,
            "description": document.details.description or None,
            "image": document.details.logo or None,
            "criteria": {"type": ["Criteria"], "narrative": document.details.narrative},
            "issuer": {
                "@context": context,
                "id": f"{document.base}/Issuer.json",
                "type": ["Issuer"],
                "name": document.issuer["name"],
                "url": document.issuer["url"],
                "publicKey": [],
            },
        }
    )


def _evidence(document: Document, context: str) -> dict[str, Any] | None:
    if not document.course_name:
        return None
    return {
        "@context": context,
        "id": f"{document.base}/Evidence.json",
        "type": ["Evidence", "Extension", "extensions:TrainingEvidence"],
        "name": document.course_name,
    }


def _signatory(document: Document, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@context": f"{document.base}v1/extensions/SignatoryExtension/context.json",
        "type": ["Extension", "extensions:SignatoryExtension"],
        **dict(_texts(entry)),
    }


def _texts(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for member, name in _SIGNATORY.items():
        value = entry.get(name)
        if isinstance(value, str):
            yield member, value


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
