"""Events of `{env}.generate.certificate.request`. See docs/jobs/collection_certificate_generator.md, "Event"."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from lern_tasks.errors import InvalidEvent
from lern_tasks.events.envelope import decode, optional_id
from lern_tasks.rules.enrolment import EnrolmentKey

_SIGNATORY = ("name", "id", "designation", "image")
_TAG = re.compile(r"[!@#$%^&*()+=,.?/\":;'{}|<>\-\s]")
_DATES = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d")
_EXPIRY = re.compile(r"(\d+[dmyDMY]\s*)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """One certificate to issue. `name` is its identity in the enrolment; `old_id` what it replaces, empty for nothing.

    `issued_on` is the day of issue, None for now. `incomplete` are the fields that the signatory list lacks: refused or
    passed by setting.
    """

    key: EnrolmentKey
    name: str
    recipient_name: str
    svg_template: str
    template_id: str
    issuer: Mapping[str, Any]
    signatories: Sequence[Any]
    course_name: str
    old_id: str
    issued_on: datetime | None
    incomplete: tuple[str, ...]


def parse(value: str | None) -> GenerateRequest:
    """Read and validate; the first violation raises InvalidEvent with the field's path, as operators know it."""
    data = _object(decode(value), "edata", "")
    name, svg_template = _text(data, "name"), _text(data, "svgTemplate")
    recipient = _recipient(data)
    issuer = _issuer(data)
    incomplete = _incomplete(data.get("signatoryList"))
    _text(_object(data, "criteria"), "narrative", "edata.criteria")
    _check_tag(data)
    _check_base_path(data)
    _check_keys(data, issuer)
    key = _key(data, recipient)
    _check_expiry(data)
    return GenerateRequest(
        key=key,
        name=name,
        recipient_name=_text(recipient, "recipientName", "edata.data[]"),
        svg_template=svg_template,
        template_id=_optional(data, "templateId"),
        issuer=issuer,
        signatories=data.get("signatoryList") or [],
        course_name=_optional(data, "courseName"),
        old_id=optional_id(data, "oldId") or "",
        issued_on=_date(_optional(data, "issuedDate"), "issuedDate"),
        incomplete=incomplete,
    )


def _wrong(path: str, state: str, remedy: str, data: Mapping[str, Any] | None = None) -> InvalidEvent:
    template = (data or {}).get("templateId")
    of = f" (template {template})" if isinstance(template, str) and template else ""
    return InvalidEvent(f"{path} is {state}{of}; {remedy}", path)


def _object(data: Mapping[str, Any], name: str, prefix: str = "edata.") -> dict[str, Any]:
    value = data.get(name)
    if not isinstance(value, dict) or not value:
        raise _wrong(f"{prefix}{name}", "missing or no object", "send an object", data)
    return value


def _text(data: Mapping[str, Any], name: str, path: str = "edata") -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _wrong(f"{path}.{name}", "missing", "set it in the batch's template, or send it as text", data)
    return value


def _optional(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(f"edata.{name}", "no text", "send text, or leave it out", data)
    return value or ""


def _recipient(data: Mapping[str, Any]) -> dict[str, Any]:
    recipients = data.get("data")
    if not isinstance(recipients, list) or not recipients:
        raise _wrong("edata.data", "missing or empty", "send one recipient", data)
    for recipient in recipients:
        if not isinstance(recipient, dict):
            raise _wrong("edata.data[]", "no object", "send recipientId and recipientName", data)
        _text(recipient, "recipientName", "edata.data[]")
    if len(recipients) > 1:
        raise _wrong("edata.data", "more than one recipient", "send an event for each", data)
    first: dict[str, Any] = recipients[0]
    return first


def _issuer(data: Mapping[str, Any]) -> dict[str, Any]:
    issuer = _object(data, "issuer")
    for name in ("name", "url"):
        value = issuer.get(name)
        if not isinstance(value, str) or not value.strip():
            raise _wrong(f"edata.issuer.{name}", "missing", "set it in the batch's template", data)
    return issuer


def _incomplete(signatories: Any) -> tuple[str, ...]:
    """The fields that the signatory list lacks."""
    if not isinstance(signatories, list) or not signatories:
        return ("edata.signatoryList",)
    return tuple(
        f"edata.signatoryList[{index}].{name}"
        for index, signatory in enumerate(signatories)
        for name in _SIGNATORY
        if not (isinstance(signatory, dict) and isinstance(signatory.get(name), str) and signatory[name].strip())
    )


def _check_tag(data: Mapping[str, Any]) -> None:
    tag = _optional(data, "tag")
    if tag.strip() and _TAG.search(tag):
        raise _wrong("edata.tag", "text with special characters", "use letters, digits and _", data)


def _check_base_path(data: Mapping[str, Any]) -> None:
    path = _optional(data, "basePath")
    if not path.strip():
        return
    try:
        parts = urlsplit(path)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https", "ftp", "file"} or not (parts.netloc or parts.scheme == "file"):
        raise _wrong("edata.basePath", "no absolute URL", "set cert_domain_url", data)


def _check_keys(data: Mapping[str, Any], issuer: Mapping[str, Any]) -> None:
    keys = data.get("keys")
    if not isinstance(keys, dict) or not keys:
        return
    key_id = _text(keys, "id", "edata.keys")
    public = issuer.get("publicKey")
    known = [str(entry).rstrip("/").rpartition("/")[2] for entry in public] if isinstance(public, list) else []
    if known and key_id not in known:
        raise _wrong("edata.keys.id", "none of edata.issuer.publicKey", "use one of the issuer's keys", data)


def _key(data: Mapping[str, Any], recipient: Mapping[str, Any]) -> EnrolmentKey:
    related = _object(data, "related")
    ids = {}
    for holder, name, path in (
        (data, "userId", "edata"),
        (related, "courseId", "edata.related"),
        (related, "batchId", "edata.related"),
    ):
        value = optional_id(holder, name, path=path)
        if value is None:
            raise _wrong(f"{path}.{name}", "missing", "send the id as text", data)
        ids[name] = value
    if recipient.get("recipientId") != ids["userId"]:
        raise _wrong("edata.data[].recipientId", "not edata.userId", "send one event a user", data)
    return EnrolmentKey(user_id=ids["userId"], course_id=ids["courseId"], batch_id=ids["batchId"])


def _check_expiry(data: Mapping[str, Any]) -> None:
    expiry = _optional(data, "expiry")
    if expiry.strip() and not _EXPIRY.fullmatch(expiry.strip()):
        _date(expiry, "expiry")


def _date(text: str, name: str) -> datetime | None:
    if not text.strip():
        return None
    for form in _DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise _wrong(f"edata.{name}", "no date", "send yyyy-MM-dd or yyyy-MM-ddTHH:mm:ssZ")
