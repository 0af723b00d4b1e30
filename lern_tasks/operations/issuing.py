"""Evaluating many enrolments and asking for what they have earned. See docs/administration.md, "Issuing"."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from lern_tasks.delivery.handoff import Handoff, hand_off
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.resumable.checkpoints import Checkpoint
from lern_tasks.delivery.resumable.runner import PageContext
from lern_tasks.errors import DependencyDown, LernError, SettingsError, TransientError
from lern_tasks.jobs.certificates.eligibility.eligibility_data import JOB, EligibilityData
from lern_tasks.jobs.certificates.eligibility.evaluation import Evaluation, evaluate
from lern_tasks.jobs.certificates.resources import CertificateResources
from lern_tasks.jobs.certificates.rules.requests import EligibleCertificate, issue_event
from lern_tasks.jobs.certificates.rules.template import name_key
from lern_tasks.operations.enrolments import COMPLETE, Chunk, cause
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

CHUNK = 100
"""Enrolments evaluated at once: each may take a call of the user service."""

_NAMED = 20
"""Enrolments, failures and templates named in a result: enough to look at, small enough for Flower."""

_GROUPS = 200
"""Groups counted apart; what comes later is counted under `others`."""


class Tally(msgspec.Struct, kw_only=True):
    """What evaluating many enrolments has found so far.

    `enrolments` were complete and active, `learners` of them have earned `certificates` that they do not have; `groups`
    counts these, `first` names some, `asked` were asked for. `failed` could not be evaluated; `broken` are templates.
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

    def add(self, key: EnrolmentKey, found: Evaluation, group: Callable[[EligibleCertificate], str]) -> None:
        """Count what an enrolment has earned."""
        self.learners += bool(found.earned)
        for earned in found.earned:
            self.certificates += 1
            name = group(earned)
            if name not in self.groups and len(self.groups) >= _GROUPS:
                name = "others"
            self.groups[name] = self.groups.get(name, 0) + 1
            if len(self.first) < _NAMED:
                self.first.append({**named(key), "certificate": earned.template.name})
        for template_id, error in found.broken.items():
            if len(self.broken) < _NAMED:
                self.broken[template_id] = str(error)

    def fail(self, key: EnrolmentKey, error: LernError) -> None:
        """Count an enrolment that could not be evaluated."""
        self.failed += 1
        if len(self.failures) < _NAMED:
            self.failures.append({**named(key), "error": str(error)})


def named(key: EnrolmentKey) -> dict[str, str]:
    """The ids by their arguments' names."""
    return {"user_id": key.user_id, "course_id": key.course_id, "batch_id": key.batch_id}


def work(
    chunk: Chunk,
    checkpoint: Checkpoint,
    page_context: PageContext,
    *,
    group: Callable[[EligibleCertificate], str],
    really: bool,
) -> Checkpoint:
    """Evaluate the enrolments of a chunk, as many as there is time for; with `really` ask for what they have earned."""
    tally = msgspec.convert(checkpoint.result, Tally) if checkpoint.result else Tally()
    data = EligibilityData(page_context.ctx.view(CertificateResources), chunk.keys)
    earned: list[EnrolmentKey] = []
    after, done = chunk.after, chunk.done
    for key in chunk.keys:
        if _counts(key, data, tally, page_context.ctx, group):
            earned.append(key)
        if page_context.over and key != chunk.keys[-1]:
            after, done = chunk.behind(key), 0.0
            break
    if really:
        ask(page_context.ctx, earned, cause(page_context.ctx, page_context.task_id), reissue=False)
        tally.asked += len(earned)
    result = msgspec.to_builtins(tally)
    return Checkpoint(
        after=after, done=1.0 if after is None else max(checkpoint.done, done), ended=after is None, result=result
    )


def _counts(
    key: EnrolmentKey, data: EligibilityData, tally: Tally, ctx: Resources, group: Callable[[EligibleCertificate], str]
) -> bool:
    """Whether the enrolment has earned something. Raises what is no fault of this enrolment."""
    try:
        row = data.enrolment(key)
        if row is None or row["active"] is not True or row["status"] != COMPLETE:
            return False
        tally.enrolments += 1
        found = evaluate(key, data, reissue=False, asked_ms=None)
    except (DependencyDown, SettingsError):
        raise
    except TransientError as error:
        if error.dependency:
            ctx.probe(error.dependency)
        tally.fail(key, error)
        return False
    except LernError as error:
        tally.fail(key, error)
        return False
    tally.add(key, _one_of_a_name(found), group)
    return bool(found.earned)


def _one_of_a_name(found: Evaluation) -> Evaluation:
    """Two templates of one name give one certificate."""
    earned = {name_key(entry.template.name): entry for entry in reversed(found.earned)}
    return Evaluation(earned=list(reversed(earned.values())), ineligible=found.ineligible, broken=found.broken)


def ask(ctx: Resources, keys: Sequence[EnrolmentKey], run: Record, *, reissue: bool) -> None:
    """Ask the pre-processor for the certificates of these enrolments, behind live learners. Raises DependencyDown."""
    topic = ctx.settings.topic(ctx.settings.collection_cert_pre_processor.kafka_input_topic)
    now_ms = ctx.now_ms()
    steps = [
        Handoff(
            job=JOB,
            event=issue_event(key, now_ms=now_ms, reissue=reissue),
            topic=topic,
            key=key.user_id,
            business_key=f"{'reissue' if reissue else 'issue'}:{key.text}",
            cause=run,
        )
        for key in keys
    ]
    hand_off(ctx, steps)


def said(checkpoint: Checkpoint, **more: Any) -> Checkpoint:
    """The checkpoint with more in its result."""
    return Checkpoint(
        after=checkpoint.after, done=checkpoint.done, ended=checkpoint.ended, result={**checkpoint.result, **more}
    )
