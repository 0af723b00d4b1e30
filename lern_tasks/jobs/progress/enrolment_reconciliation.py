"""`lern.enrolment_reconciliation`: an enrolment is computed again from what is stored.

See docs/jobs/enrolment_reconciliation.md.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from lern_tasks.delivery.batch import Batch, BatchRecord, Failed
from lern_tasks.delivery.locked_groups import Group, grouped, locked_groups
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.task import event_job
from lern_tasks.errors import LernError
from lern_tasks.jobs.progress.events import ReconcileRequest, parse_reconcile
from lern_tasks.jobs.progress.follow_ups import ask_for_certificates, publish_audits
from lern_tasks.jobs.progress.inputs import ProgressRequest, read_inputs
from lern_tasks.jobs.progress.resources import ProgressResources
from lern_tasks.jobs.progress.rows import progress_lock
from lern_tasks.jobs.progress.rules.content_counts import COMPLETED
from lern_tasks.jobs.progress.rules.decision import ProgressDecision, ProgressInputs, decide_all
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

JOB: Final = "enrolment_reconciliation"

Enrolment = Group[EnrolmentKey, Any]
"""The records that ask for the reconciliation of one enrolment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What was found of an enrolment and what was done; all effects have happened.

    `exists`: there is an enrolment row; `contents`: how many contents are stored, 0 means that nothing was computed or
    written, as for a `retired` course; `completed` of `required` mandatory contents, the others are open; the row's
    status before and after.
    """

    exists: bool
    contents: int
    completed: int
    required: int
    open_contents: tuple[str, ...]
    status_before: int | None
    status_after: int | None
    certificate_asked: bool
    retired: bool


@event_job(JOB, parse=parse_reconcile, resources=ProgressResources)
def enrolment_reconciliation(batch: Batch[ReconcileRequest], ctx: ProgressResources) -> None:
    """Compute progress again from what is stored, write aggregates and the enrolment row, and ask for a certificate."""
    groups = grouped(batch, by=lambda event: event.key)
    for group, reconciliation in reconciled(groups.values(), ctx):
        if reconciliation.contents:
            group.done()
        else:
            group.skip("no contents are stored")


def reconciled(
    groups: Iterable[Enrolment], ctx: ProgressResources, *, ask: bool = True
) -> Iterator[tuple[Enrolment, Reconciliation]]:
    """Reconcile the enrolments; each that could be, once all its effects have happened. The others have failed.

    Nothing is counted, so nothing is noted down or marked as seen. Without `ask` the caller sees to certificates.
    Raises DependencyDown.
    """
    settings = ctx.settings.enrolment_reconciliation
    for held in locked_groups(groups, ctx, job=JOB, lock=progress_lock, about="enrolment"):
        now = ctx.now()
        requests = [
            ProgressRequest(key=group.key, delivered_before=group.delivered_before, reconciling=True)
            for group in held.groups
        ]
        inputs = held.found(read_inputs(JOB, requests, ctx))
        decisions = decide_all(
            inputs,
            now=now,
            filter_processed=settings.activity_filter_processed_enrolments,
            units=settings.activity_module_aggs_enabled,
        )
        held.fail(ctx.progress_rows(JOB).write(decisions.values(), held.tokens, now=now))
        kept = held.release()
        written = [decisions[group.key] for group in kept]
        if ask:
            ask_for_certificates(JOB, written, held.causes, ctx)
        publish_audits(JOB, written, ctx)
        for group in kept:
            yield group, _reconciliation(inputs[group.key], decisions[group.key])


def reconcile(
    keys: Sequence[EnrolmentKey],
    ctx: ProgressResources,
    *,
    cause: Record,
    delivered_before: AbstractSet[EnrolmentKey] = frozenset(),
    ask: bool = True,
) -> dict[EnrolmentKey, Reconciliation | LernError]:
    """Reconcile each enrolment because of the record `cause`; for each what was done, or why it could not be.

    With `ask` an enrolment that is complete is handed off to the pre-processor, always: it drops what is issued. Those
    in `delivered_before` repeat the audit event of a completion. Outages are answers too: nothing is raised for them.
    """
    groups: list[Enrolment] = [Group(key, [BatchRecord(cause, key in delivered_before)]) for key in dict.fromkeys(keys)]
    found: dict[EnrolmentKey, Reconciliation] = {}
    try:
        for group, reconciliation in reconciled(groups, ctx, ask=ask):
            found[group.key] = reconciliation
    except LernError as error:
        for group in groups:
            group.fail(error)
    return {**_errors(groups), **found}


def _errors(groups: Iterable[Enrolment]) -> dict[EnrolmentKey, LernError]:
    outcomes = {group.key: record.outcome for group in groups for record in group.records}
    return {
        key: outcome.error
        for key, outcome in outcomes.items()
        if isinstance(outcome, Failed) and isinstance(outcome.error, LernError)
    }


def _reconciliation(inputs: ProgressInputs, decision: ProgressDecision) -> Reconciliation:
    statuses = decision.progress.content_status if decision.progress else {}
    return Reconciliation(
        exists=inputs.row.exists,
        contents=len(inputs.stored),
        completed=decision.progress.completed if decision.progress else 0,
        required=len(inputs.relations.mandatory),
        open_contents=tuple(sorted(c for c in inputs.relations.mandatory if statuses.get(c) != COMPLETED)),
        status_before=inputs.row.status,
        status_after=decision.update.status if decision.update else inputs.row.status,
        certificate_asked=decision.certificate,
        retired=inputs.retired,
    )
