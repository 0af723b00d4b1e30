"""Whether a certificate is to be issued, and what the enrolment says of it afterwards.

See docs/jobs/collection_certificate_generator.md, "Rules".
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lern_tasks.jobs.certificates.rules.criteria import same_name
from lern_tasks.jobs.certificates.rules.template import name_key
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

IssuedEntry = Mapping[str, str]
"""One element of `issued_certificates`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Issue it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Nothing is to be done, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedCertificate:
    """A certificate that exists.

    `token` is its access code, `extras` are further members of its element. `duplicates` are the ids of certificates
    that are the same: made more than once, they are to be deleted.
    """

    identifier: str
    token: str = ""
    extras: IssuedEntry = field(default_factory=dict)
    duplicates: Sequence[str] = ()


def may_issue(issued: Sequence[IssuedEntry] | None, name: str, old_id: str) -> Allowed | Stop:
    """Whether to issue `name`; `issued` is None when there is no enrolment row.

    A re-issue whose `old_id` is no longer the one in the row has happened already.
    """
    if issued is None:
        return Stop(reason="there is no such enrolment")
    present = same_name(issued, name)
    if not present:
        return Allowed()
    if not old_id:
        return Stop(reason="issued already")
    if any(element.get("identifier") == old_id for element in present):
        return Allowed()
    return Stop(reason="replaced already")


def element(name: str, made: CreatedCertificate, *, now: datetime) -> IssuedEntry:
    """What the enrolment says of a certificate. `now` is aware; it is written in UTC."""
    now = now.astimezone(UTC)
    return {
        "name": name,
        "identifier": made.identifier,
        "token": made.token,
        "lastIssuedOn": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}+0000",
        **made.extras,
    }


def with_element(issued: Sequence[IssuedEntry], new: IssuedEntry) -> list[IssuedEntry]:
    """The list with `new` at the end in the place of what had its name."""
    kept = [old for old in issued if name_key(old.get("name") or "") != name_key(new["name"])]
    return [*kept, new]


def intent_key(key: EnrolmentKey, name: str, old_id: str) -> str:
    """Under which the intent to create this certificate is kept: one for each name and each certificate replaced."""
    what = hashlib.sha256(json.dumps([name_key(name), old_id]).encode()).hexdigest()[:32]
    return f"{key.text}:{what}"
