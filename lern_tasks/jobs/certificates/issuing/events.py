"""Events of `{env}.generate.certificate.request`. See docs/jobs/collection_certificate_generator.md, "Event"."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.rules.document import Details
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.envelope import MAX_ID_BYTES, check_text, decode, edata, optional_id

_MAX_TAG_BYTES = 128
"""A tag becomes a folder: file systems take 255 bytes for one, encrypted ones 143. Real tags are ids of batches."""

_MAX_URL_BYTES = 4_000
"""What servers take for a whole request line; an address signed by a cloud has some hundred bytes."""

_SIGNATORY = ("name", "id", "designation", "image")
_TAG = re.compile(r"[!@#$%^&*()+=,.?/\":;'{}|<>\-\s\\\x00-\x1f\x7f-\x9f]")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TERM = re.compile(r"\d+[dmy]", re.ASCII | re.IGNORECASE)
_IN_TEMPLATE = "set it in the batch's certificate template"
_IN_PROFILE = "set the learner's name in the profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """One certificate to issue. `name` is its identity in the enrolment; `old_id` what it replaces, empty for nothing.

    `issued_on` is the day of issue, None for now. `incomplete` are the fields that the signatory list lacks: refused or
    passed by setting. `details` are for a certificate without the registry.
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
    details: Details


def parse(value: str | None) -> GenerateRequest:
    """Read and validate; the first violation raises InvalidEvent with the field's path, as operators know it."""
    data = edata(decode(value))
    name, svg_template = _text(data, "name"), _text(data, "svgTemplate")
    check_text(svg_template, "edata.svgTemplate", most=_MAX_URL_BYTES)
    recipient = _recipient(data)
    issuer = _issuer(data)
    signatories = _signatories(data)
    narrative = _text(data, "criteria", "narrative")
    _check_tag(data)
    _check_base_path(data)
    signing_key = _signing_key(data, issuer)
    key = _key(data, recipient)
    _check_expiry(data)
    return GenerateRequest(
        key=key,
        name=name,
        recipient_name=recipient["recipientName"],
        svg_template=svg_template,
        template_id=_optional(data, "templateId"),
        issuer=issuer,
        signatories=signatories,
        course_name=_optional(data, "courseName"),
        old_id=optional_id(data, "oldId") or "",
        issued_on=_issued_on(data),
        incomplete=_incomplete(signatories),
        details=Details(
            tag=_optional(data, "tag"),
            narrative=narrative,
            description=_optional(data, "description"),
            logo=_optional(data, "logo"),
            valid_from=_optional(recipient, "validFrom", path="edata.data[]"),
            expiry=_optional(data, "expiry"),
            signing_key=signing_key,
            related=data["related"],
        ),
    )


def _wrong(path: str, state: str, remedy: str, data: Mapping[str, Any] | None = None) -> InvalidEvent:
    template = (data or {}).get("templateId")
    of = f" (template {template})" if isinstance(template, str) and template else ""
    return InvalidEvent(f"{path} is {state}{of}; {remedy}", path)


def _object(data: Mapping[str, Any], name: str, *, remedy: str = "send an object") -> dict[str, Any]:
    value = data.get(name)
    if not isinstance(value, dict) or not value:
        raise _wrong(f"edata.{name}", "missing or no object", remedy, data)
    return value


def _text(data: Mapping[str, Any], *path: str, remedy: str = _IN_TEMPLATE) -> str:
    """The text at `path` below `edata`, which is `data`."""
    value: Any = data
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value.strip():
        state = "missing" if value is None else "blank or no text"
        raise _wrong(".".join(("edata", *path)), state, remedy, data)
    return value


def _optional(data: Mapping[str, Any], name: str, *, path: str = "edata") -> str:
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(f"{path}.{name}", "no text", "send text, or leave it out", data)
    return value or ""


def _recipient(data: Mapping[str, Any]) -> dict[str, Any]:
    recipients = data.get("data")
    if not isinstance(recipients, list) or not recipients:
        raise _wrong("edata.data", "missing or empty", "send one recipient", data)
    for recipient in recipients:
        if not isinstance(recipient, dict):
            raise _wrong("edata.data[]", "no object", "send recipientId and recipientName", data)
        name = recipient.get("recipientName")
        if not isinstance(name, str) or not name.strip():
            raise _wrong("edata.data[].recipientName", "missing or blank", _IN_PROFILE, data)
    if len(recipients) > 1:
        raise _wrong("edata.data", "more than one recipient", "send an event for each", data)
    first: dict[str, Any] = recipients[0]
    return first


def _issuer(data: Mapping[str, Any]) -> dict[str, Any]:
    issuer = _object(data, "issuer", remedy=_IN_TEMPLATE)
    for name in ("name", "url"):
        _text(data, "issuer", name)
    return issuer


def _signatories(data: Mapping[str, Any]) -> list[Any]:
    found = data.get("signatoryList")
    if found is not None and not isinstance(found, list):
        raise _wrong("edata.signatoryList", "no list", _IN_TEMPLATE, data)
    return found or []


def _incomplete(signatories: Sequence[Any]) -> tuple[str, ...]:
    """The fields that the signatory list lacks."""
    if not signatories:
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
    check_text(tag, "edata.tag", most=_MAX_TAG_BYTES)


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


def _signing_key(data: Mapping[str, Any], issuer: Mapping[str, Any]) -> str:
    """The id of the key to sign with, empty for none."""
    if data.get("keys") in (None, {}):
        return ""
    key_id = _text(data, "keys", "id", remedy="send the id of one of the issuer's keys, or leave keys out")
    check_text(key_id, "edata.keys.id", most=MAX_ID_BYTES)
    public = issuer.get("publicKey")
    entries = [entry for entry in public if isinstance(entry, str)] if isinstance(public, list) else []
    known = [entry.rstrip("/").rpartition("/")[2] for entry in entries]
    if known and key_id not in known:
        raise _wrong("edata.keys.id", "none of edata.issuer.publicKey", "use one of the issuer's keys", data)
    return key_id


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
    """A time, or terms such as `1y 6m`; only checked here: the registry knows no expiry, a document computes it."""
    expiry = _optional(data, "expiry").strip()
    if expiry and not all(_TERM.fullmatch(term) for term in expiry.split()) and _instant(expiry) is None:
        raise _wrong("edata.expiry", "no date", "send yyyy-MM-ddTHH:mm:ssZ, or terms such as 1y 6m", data)


def _issued_on(data: Mapping[str, Any]) -> datetime | None:
    text = _optional(data, "issuedDate")
    if not text.strip():
        return None
    found = _instant(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    if found is None:
        raise _wrong("edata.issuedDate", "no date", "send yyyy-MM-dd or yyyy-MM-ddTHH:mm:ssZ", data)
    return found


def _instant(text: str) -> datetime | None:
    """The time, None when the text is none; the pattern is strict where `strptime` takes a month of one digit."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) if _INSTANT.fullmatch(text) else None
    except ValueError:
        return None
