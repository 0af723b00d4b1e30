"""Evaluating many enrolments and asking for what they have earned. See docs/administration.md, "Issuing"."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from lern_tasks.delivery.handoff import hand_off
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.resumable.checkpoints import Checkpoint
from lern_tasks.delivery.resumable.runner import PageContext
from lern_tasks.errors import DependencyDown, LernError, SettingsError, TransientError
from lern_tasks.jobs.certificates.api import (
    CertificateResources,
    EligibilityData,
    EligibleCertificate,
    Evaluation,
    evaluate,
    issue_request,
)
from lern_tasks.jobs.progress.api import sync_handoff
from lern_tasks.operations.enrolments import COMPLETE, EnrolmentChunk, cause
from lern_tasks.storage.gateway import Row
from lern_tasks.sunbird.certificate_name import name_key
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

GroupBy = Callable[[EligibleCertificate], str]
"""Under which text a certificate is counted."""

CHUNK = 100
"""Enrolments evaluated at once: each may take a call of the user service."""

_NAMED = 20
"""Enrolments, failures and templates named in a result: enough to look at, small enough for Flower."""

_REASONS = 500
"""Learners of whom a result says why they earn nothing: more than a batch mostly has; it is rewritten page by page."""

_GROUPS = 200
"""Groups counted apart; what comes later is counted under `others`."""


class EvaluationSummary(msgspec.Struct, kw_only=True):
    """What evaluating many enrolments has found so far.

    `enrolments` were complete and active, `learners` of them have earned `certificates` that they do not have; `groups`
    counts these, `first` names some, `asked` were asked for. `failed` could not be evaluated; `broken` are templates.
    `overdue` are complete by the contents of their course, not by their status: `late` names some, `reconciled` were
    handed to reconciliation. `nothing` earn nothing, `reasons` says why of each, where that is asked for.
    """

    enrolments: int = 0
    learners: int = 0
    certificates: int = 0
    asked: int = 0
    failed: int = 0
    groups: dict[str, int] = {}
    first: list[dict[str, str]] = []
    failures: list[dict[str, str]] = []
    broken: dict[str, str] = {}
    overdue: int = 0
    reconciled: int = 0
    late: list[dict[str, str]] = []
    nothing: int = 0
    reasons: list[dict[str, str]] = []

    def add(self, key: EnrolmentKey, found: Evaluation, group: GroupBy) -> None:
        """Count what an enrolment has earned."""
        self.learners += bool(found.eligible)
        for certificate in found.eligible:
            self.certificates += 1
            name = group(certificate)
            if name not in self.groups and len(self.groups) >= _GROUPS:
                name = "others"
            self.groups[name] = self.groups.get(name, 0) + 1
            if len(self.first) < _NAMED:
                self.first.append({**named(key), "certificate": certificate.template.name})
        for template_id, error in found.invalid_templates.items():
            if len(self.broken) < _NAMED:
                self.broken[template_id] = str(error)

    def is_late(self, key: EnrolmentKey) -> None:
        """Count an enrolment that is complete without knowing it."""
        self.overdue += 1
        if len(self.late) < _NAMED:
            self.late.append(named(key))

    def lacks(self, key: EnrolmentKey, reason: str) -> None:
        """Count an enrolment that earns nothing, and why."""
        self.nothing += 1
        if len(self.reasons) < _REASONS:
            self.reasons.append({**named(key), "reason": reason})

    def fail(self, key: EnrolmentKey, error: LernError) -> None:
        """Count an enrolment that could not be evaluated."""
        self.failed += 1
        if len(self.failures) < _NAMED:
            self.failures.append({**named(key), "error": str(error)})


def named(key: EnrolmentKey) -> dict[str, str]:
    """The ids by their arguments' names."""
    return {"user_id": key.user_id, "course_id": key.course_id, "batch_id": key.batch_id}


def evaluate_chunk(
    chunk: EnrolmentChunk,
    checkpoint: Checkpoint,
    page_context: PageContext,
    *,
    group: GroupBy,
    really: bool,
    overdue: Collection[EnrolmentKey] = (),
    reasons: bool = False,
) -> Checkpoint:
    """Evaluate the enrolments of a chunk, as many as there is time for; with `really` ask for what they have earned.

    Those that are `overdue` are to be reconciled, which asks by itself. With `reasons` the result says of each that
    earns nothing why.
    """
    summary = msgspec.convert(checkpoint.result, EvaluationSummary) if checkpoint.result else EvaluationSummary()
    data = EligibilityData(page_context.ctx.view(CertificateResources), chunk.keys)
    eligible: list[EnrolmentKey] = []
    late: list[EnrolmentKey] = []
    after, done = chunk.after, chunk.done
    for key in chunk.keys:
        if key in overdue:
            late.append(key)
            summary.is_late(key)
        elif (reason := _why_nothing(key, data, summary, page_context.ctx, group)) is None:
            eligible.append(key)
        elif reason and reasons:
            summary.lacks(key, reason)
        if page_context.over and key != chunk.keys[-1]:
            after, done = chunk.behind(key), 0.0
            break
    if really:
        _hand_on(eligible, late, summary, page_context)
    result = msgspec.to_builtins(summary)
    return Checkpoint(
        after=after, done=1.0 if after is None else max(checkpoint.done, done), ended=after is None, result=result
    )


def _hand_on(
    eligible: Sequence[EnrolmentKey], late: Sequence[EnrolmentKey], summary: EvaluationSummary, page: PageContext
) -> None:
    run = cause(page.ctx, page.task_id)
    ask(page.ctx, eligible, run, reissue=False)
    hand_off(page.ctx, [sync_handoff(key, run, page.ctx) for key in late])
    summary.asked += len(eligible)
    summary.reconciled += len(late)


def _why_nothing(
    key: EnrolmentKey,
    data: EligibilityData,
    summary: EvaluationSummary,
    ctx: Resources,
    group: GroupBy,
) -> str | None:
    """Evaluate and count an enrolment; None when it has earned something, else why not, empty where that is told.

    Raises what is no fault of this enrolment.
    """
    try:
        row = data.enrolment(key)
        if row is None:
            return ""
        if row["active"] is not True or row["status"] != COMPLETE:
            return _not_complete(row)
        summary.enrolments += 1
        found = evaluate(key, data, reissue=False, requested_ms=None)
    except (DependencyDown, SettingsError):
        raise
    except TransientError as error:
        if error.dependency:
            ctx.probe(error.dependency)
        summary.fail(key, error)
        return ""
    except LernError as error:
        summary.fail(key, error)
        return ""
    summary.add(key, _one_of_a_name(found), group)
    return None if found.eligible else why_not(found)


def _not_complete(row: Row) -> str:
    return "the enrolment is not active" if row["active"] is not True else f"the enrolment's status is {row['status']}"


def why_not(found: Evaluation) -> str:
    """Why nothing is earned: a reason for each template, or that there is none."""
    reasons = {**found.ineligible, **{id_: str(error) for id_, error in found.invalid_templates.items()}}
    return "; ".join(f"{id_}: {reason}" for id_, reason in reasons.items()) or "the batch has no SVG template"


def _one_of_a_name(found: Evaluation) -> Evaluation:
    """Two templates of one name give one certificate."""
    eligible = {name_key(entry.template.name): entry for entry in reversed(found.eligible)}
    return replace(found, eligible=list(reversed(eligible.values())))


def templates_of(found: Evaluation) -> list[dict[str, Any]]:
    """What was found of each template, as results show it."""
    eligible = [
        {
            "template_id": one.template.template_id,
            "name": one.template.name,
            "earned": True,
            "replaces": one.old_id,
            "reason": "",
            "broken": False,
        }
        for one in found.eligible
    ]
    invalid = {template_id: str(error) for template_id, error in found.invalid_templates.items()}
    others = [
        {
            "template_id": template_id,
            "name": "",
            "earned": False,
            "replaces": "",
            "reason": reason,
            "broken": template_id in invalid,
        }
        for template_id, reason in {**found.ineligible, **invalid}.items()
    ]
    return [*eligible, *others]


def ask(ctx: Resources, keys: Sequence[EnrolmentKey], run: Record, *, reissue: bool) -> None:
    """Ask the pre-processor for the certificates of these enrolments, behind live learners. Raises DependencyDown."""
    name = "reissue" if reissue else "issue"
    handoffs = [issue_request(key, run, ctx, reissue=reissue, business_key=f"{name}:{key.text}") for key in keys]
    hand_off(ctx, handoffs)


def with_result(checkpoint: Checkpoint, **more: Any) -> Checkpoint:
    """The checkpoint with more in its result."""
    return Checkpoint(
        after=checkpoint.after, done=checkpoint.done, ended=checkpoint.ended, result={**checkpoint.result, **more}
    )
