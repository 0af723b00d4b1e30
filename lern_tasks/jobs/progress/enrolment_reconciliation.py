"""`lern.enrolment_reconciliation`: an enrolment is computed again from what is stored.

See docs/jobs/enrolment_reconciliation.md.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from lern_tasks.delivery.batch import Batch
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError, LockBusy
from lern_tasks.jobs.progress.events import ReconcileRequest, parse_reconcile
from lern_tasks.jobs.progress.recompute import Computed, groups_of, rounds
from lern_tasks.jobs.progress.resources import ProgressResources
from lern_tasks.jobs.progress.rows import ProgressRequest
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "enrolment_reconciliation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What was found of an enrolment and what was done; all effects have happened.

    `exists`: there is an enrolment row; `contents`: how many contents are stored, 0 means that nothing was computed or
    written, as for a `retired` course; `completed` of `required` mandatory contents; the row's status before and after.
    """

    exists: bool
    contents: int
    completed: int
    required: int
    status_before: int | None
    status_after: int | None
    certificate_asked: bool
    retired: bool


@event_job(JOB, parse=parse_reconcile, resources=ProgressResources)
def enrolment_reconciliation(batch: Batch[ReconcileRequest], ctx: ProgressResources) -> None:
    """Compute progress again from what is stored, write aggregates and the enrolment row, and ask for a certificate."""
    groups = groups_of(batch.open)
    found = _reconcile(
        {key: group.cause for key, group in groups.items()},
        ctx,
        delivered_before={key for key, group in groups.items() if group.delivered_before},
    )
    for key, answer in found.items():
        if isinstance(answer, Reconciliation) and not answer.contents:
            for item in groups[key].items:
                item.skip("no contents are stored")
        else:
            groups[key].settle(answer if isinstance(answer, LernError) else None)


def reconcile(
    keys: Sequence[EnrolmentKey],
    ctx: ProgressResources,
    *,
    cause: Record,
    delivered_before: AbstractSet[EnrolmentKey] = frozenset(),
) -> dict[EnrolmentKey, Reconciliation | LernError]:
    """Reconcile each enrolment because of the record `cause`; for each what was done, or why it could not be.

    An enrolment that is complete is handed on to the pre-processor, always: it drops what is issued. Those in
    `delivered_before` repeat the audit event of a completion. Outages are answers too: nothing is raised for them.
    """
    return _reconcile(dict.fromkeys(keys, cause), ctx, delivered_before=delivered_before)


def _reconcile(
    causes: Mapping[EnrolmentKey, Record], ctx: ProgressResources, *, delivered_before: AbstractSet[EnrolmentKey]
) -> dict[EnrolmentKey, Reconciliation | LernError]:
    def wanted(keys: Sequence[EnrolmentKey]) -> list[ProgressRequest]:
        return [ProgressRequest(key=key, delivered_before=key in delivered_before, reconciling=True) for key in keys]

    found: dict[EnrolmentKey, Reconciliation | LernError] = {}
    missing: LernError = LockBusy("another worker is busy with this enrolment")
    try:
        for answers in rounds(JOB, causes, ctx, wanted=wanted):
            found |= {key: _said(answer) for key, answer in answers.items()}
    except LernError as error:
        missing = error
    return {key: found.get(key, missing) for key in causes}


def _said(answer: Computed | LernError) -> Reconciliation | LernError:
    if isinstance(answer, LernError):
        return answer
    inputs, decision = answer.inputs, answer.decision
    return Reconciliation(
        exists=inputs.row.exists,
        contents=len(inputs.stored),
        completed=decision.progress.completed if decision.progress else 0,
        required=len(inputs.relations.mandatory),
        status_before=inputs.row.status,
        status_after=decision.update.status if decision.update else inputs.row.status,
        certificate_asked=decision.certificate,
        retired=inputs.retired,
    )
