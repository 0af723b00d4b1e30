"""What the registry is sent, and whether what it holds is the same certificate.

See docs/jobs/collection_certificate_generator.md, "Rows".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_BREAKS = re.compile(r"[\r\n\t]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryCertificate:
    """The certificate to create. `template_url` is without placeholder; `old_id` is empty for a first issue."""

    key: EnrolmentKey
    name: str
    recipient_name: str
    course_name: str
    template_url: str
    issuer: Mapping[str, Any]
    signatories: Sequence[Any]
    old_id: str


def create_body(certificate: RegistryCertificate, *, kid: str, bad_texts: Sequence[str]) -> dict[str, Any]:
    """The body of the create call; `bad_texts` are removed from every value, as the registry's store refuses them."""
    key = certificate.key
    body: dict[str, Any] = {
        "certificateLabel": _one_line(certificate.name),
        "status": "ACTIVE",
        "templateUrl": certificate.template_url,
        "training": {
            "id": key.course_id,
            "name": _one_line(certificate.course_name),
            "type": "Course",
            "batchId": key.batch_id,
        },
        "recipient": {"id": key.user_id, "name": _one_line(certificate.recipient_name)},
        "issuer": {"url": certificate.issuer["url"], "name": _one_line(certificate.issuer["name"]), "kid": kid},
        "signatory": list(certificate.signatories),
    }
    if certificate.old_id:
        body["oldId"] = certificate.old_id
    cleaned: dict[str, Any] = _cleaned(body, ["\0", *bad_texts])
    return cleaned


def _one_line(text: str) -> str:
    """The registry's picture leaves line breaks out, and two words would grow together."""
    return _BREAKS.sub(" ", text)


def bad_texts(setting: str, *, keep_letters: bool = False) -> list[str]:
    """The texts of `task.rc.badcharlist`, longest first; with `keep_letters` without those that are letters.

    The setting is written for JSON text: its `\\\\aaa` is the value `\\aaa`. A lone backslash and blanks, which some
    installations' lists end in, are left out: they would take every backslash and space out of names.
    """
    texts = {text.strip().replace("\\\\", "\\") for text in setting.split(",")}
    chosen = (text for text in texts if text.strip("\\") and not (keep_letters and text.isalpha()))
    return sorted(chosen, key=lambda text: (-len(text), text))


def search_filters(certificate: RegistryCertificate) -> dict[str, Any]:
    """Filters that find the certificate, if a create without answer made it; others may match too: see `is_same`.

    The name is left out: the registry has it without the bad texts.
    """
    if certificate.old_id:
        return {"oldId": {"eq": certificate.old_id}}
    return {
        "recipient.id": {"eq": certificate.key.user_id},
        "training.batchId": {"eq": certificate.key.batch_id},
    }


def is_same(entity: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether the registry's `entity` is what `body` asked for, and is active."""
    return (
        bool(entity.get("osid"))
        and entity.get("status") == "ACTIVE"
        and entity.get("certificateLabel") == body["certificateLabel"]
        and _member(entity, "recipient", "id") == body["recipient"]["id"]
        and _member(entity, "training", "id") == body["training"]["id"]
        and _member(entity, "training", "batchId") == body["training"]["batchId"]
        and (entity.get("oldId") or "") == body.get("oldId", "")
    )


def _member(entity: Mapping[str, Any], outer: str, inner: str) -> Any:
    value = entity.get(outer)
    return value.get(inner) if isinstance(value, dict) else None


def _cleaned(value: Any, bad: Sequence[str]) -> Any:
    if isinstance(value, str):
        for text in bad:
            value = value.replace(text, "")
        return value
    if isinstance(value, dict):
        return {name: _cleaned(member, bad) for name, member in value.items() if member is not None}
    return [_cleaned(member, bad) for member in value] if isinstance(value, list) else value
