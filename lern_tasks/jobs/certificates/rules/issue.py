"""Whether a certificate is to be issued, and what is stored of it in the enrolment afterwards.

See docs/jobs/collection_certificate_generator.md, "Rules".
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from lern_tasks.jobs.certificates.rules.criteria import same_name
from lern_tasks.sunbird.certificate_name import name_key
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

IssuedEntry = Mapping[str, str]
"""One element of `issued_certificates`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Issue it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedBefore:
    """An earlier delivery wrote the certificate into the enrolment, and may have died before it handed off the rest."""

    certificate_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Nothing is to be issued, and why. `duplicate`: the id of a certificate to revoke, empty for none."""

    reason: str
    duplicate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedCertificate:
    """A certificate that exists.

    `token` is its access code, `extras` are further members of its entry. `duplicates` are the ids of certificates that
    are the same: created more than once, they are to be revoked.
    """

    identifier: str
    token: str = ""
    extras: IssuedEntry = field(default_factory=dict)
    duplicates: Sequence[str] = ()


def decide(
    issued: Sequence[IssuedEntry] | None, *, name: str, old_id: str, created_id: str | None, delivered_before: bool
) -> Allowed | IssuedBefore | Stop:
    """What is to be done for a request. `issued` is None when there is no enrolment row.

    `created_id` is the certificate that an earlier delivery created for the same request, None when none is known. When
    the enrolment does not name it, another way was quicker: it is a duplicate.
    """
    verdict = may_issue(issued, name, old_id)
    if isinstance(verdict, Allowed) or created_id is None or not issued:
        return verdict
    if all(entry.get("identifier") != created_id for entry in issued):
        return replace(verdict, duplicate=created_id)
    return IssuedBefore(certificate_id=created_id) if delivered_before else verdict


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
    if any(entry.get("identifier") == old_id for entry in present):
        return Allowed()
    return Stop(reason="replaced already")


def issued_entry(name: str, created: CreatedCertificate, *, now: datetime) -> IssuedEntry:
    """What is stored of a certificate in the enrolment. `now` is aware; it is written in UTC."""
    now = now.astimezone(UTC)
    return {
        "name": name,
        "identifier": created.identifier,
        "token": created.token,
        "lastIssuedOn": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}+0000",
        **created.extras,
    }


def with_entry(issued: Sequence[IssuedEntry], new: IssuedEntry) -> list[IssuedEntry]:
    """The list with `new` at the end in the place of what had its name."""
    kept = [old for old in issued if name_key(old.get("name") or "") != name_key(new["name"])]
    return [*kept, new]


def intent_key(key: EnrolmentKey, name: str, old_id: str) -> str:
    """Under which the intent to create this certificate is kept: one for each name and each certificate replaced."""
    what = hashlib.sha256(json.dumps([name_key(name), old_id]).encode()).hexdigest()[:32]
    return f"{key.text}:{what}"
