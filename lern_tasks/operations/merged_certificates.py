"""`lern.reissue_merged`: certificates that still name the account which was merged into another.

See docs/administration.md, "Certificates of merged accounts".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from lern_tasks.delivery.handoff import hand_off
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.resumable.checkpoints import Checkpoint
from lern_tasks.delivery.resumable.resumable_task import resumable_task
from lern_tasks.delivery.resumable.runner import PageContext, PageFunction
from lern_tasks.errors import InvalidArgument, InvalidEvent, RefusedByService
from lern_tasks.jobs.certificates.api import CertificateResources, EligibilityData, evaluate, issue_request
from lern_tasks.operations import arguments, messages
from lern_tasks.operations.enrolments import cause, of_users
from lern_tasks.operations.issuing import why_not
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inherited:
    """A certificate of `key` that was issued to another account."""

    key: EnrolmentKey
    name: str
    certificate_id: str


@resumable_task("lern.reissue_merged", doing="issuing inherited certificates again")
def reissue_merged(user_id: object, merged_from: object) -> PageFunction:
    """Issue again what a merge has copied from the account `merged_from`, in the name of the account that has it."""
    user, source = arguments.text_id("user_id", user_id), arguments.text_id("merged_from", merged_from)
    if user == source:
        raise InvalidArgument("argument.merged_from is the same account as user_id; send the one that was merged away")
    return partial(_reissue, user, source)


def _reissue(user: str, source: str, _checkpoint: Checkpoint, page_context: PageContext) -> Checkpoint:
    ctx, run = page_context.ctx, cause(page_context.ctx, page_context.task_id)
    inherited = list(_inherited(user, source, ctx))
    data = EligibilityData(ctx.view(CertificateResources), [one.key for one in inherited])
    found = [_ask(one, data, run, ctx) for one in inherited]
    result = {"user_id": user, "merged_from": source, "certificates": found}
    return Checkpoint(done=1.0, ended=True, result={**result, "message": messages.inherited(found, source)})


def _inherited(user: str, source: str, ctx: Resources) -> Iterator[_Inherited]:
    """What is in rows of both. A merge changes nothing of its source, so what was issued again is in one alone."""
    rows = of_users(ctx, (user, source), ("issued_certificates",))
    for key, row in sorted(rows[user].items()):
        there = EnrolmentKey(user_id=source, course_id=key.course_id, batch_id=key.batch_id)
        old = {element.get("identifier") for element in rows[source].get(there, {}).get("issued_certificates") or ()}
        for element in row["issued_certificates"] or ():
            certificate_id = element.get("identifier")
            if certificate_id and certificate_id in old:
                yield _Inherited(key=key, name=element.get("name", ""), certificate_id=certificate_id)


def _ask(one: _Inherited, data: EligibilityData, run: Record, ctx: Resources) -> dict[str, Any]:
    """Ask for one certificate, unless it is not earned; what results show of it."""
    about = {
        "course_id": one.key.course_id,
        "batch_id": one.key.batch_id,
        "name": one.name,
        "replaces": one.certificate_id,
    }
    try:
        found = evaluate(one.key, data, reissue=True, old_id=one.certificate_id, requested_ms=None)
    except (InvalidEvent, RefusedByService) as error:
        return {**about, "asked": False, "reason": str(error)}
    if not found.eligible:
        return {**about, "asked": False, "reason": why_not(found)}
    business_key = f"reissue:{one.key.text}:{one.certificate_id}"
    request = issue_request(one.key, run, ctx, reissue=True, old_id=one.certificate_id, business_key=business_key)
    hand_off(ctx, [request])
    return {**about, "asked": True, "reason": ""}
