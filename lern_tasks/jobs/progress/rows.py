"""Reading what progress is computed from, and writing what it gives.

Each job that computes progress has its own settings, tables, relation cache and search service.
See docs/jobs/activity_aggregate_updater.md, "Rows".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lern_tasks.catalogue import ProgressJob
from lern_tasks.errors import LernError
from lern_tasks.jobs.progress import content_consumption
from lern_tasks.jobs.progress.course_status import CourseStatuses
from lern_tasks.jobs.progress.resources import ProgressResources
from lern_tasks.jobs.progress.rules.content_counts import PendingCounts, StoredContent
from lern_tasks.jobs.progress.rules.decision import ProgressDecision, ProgressInputs
from lern_tasks.jobs.progress.rules.enrolment_row import StoredEnrolment
from lern_tasks.jobs.relations.api import CourseRelations
from lern_tasks.metrics import count
from lern_tasks.storage.gateway import Mutation
from lern_tasks.sunbird import activity_aggregates, enrolments
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import for_job


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressRequest:
    """One enrolment to compute: the contents its events completed, those to count, and counts noted down before.

    `reconciling`: computed on demand, from what is stored alone.
    """

    key: EnrolmentKey
    completed: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()
    pending: Mapping[str, PendingCounts] = field(default_factory=dict)
    delivered_before: bool = False
    reconciling: bool = False


def read(
    job: ProgressJob, wanted: Sequence[ProgressRequest], ctx: ProgressResources
) -> dict[EnrolmentKey, ProgressInputs | LernError]:
    """What was read for each enrolment, or why it could not be: one round trip a table for all of them.

    Raises DependencyDown when Redis does not answer.
    """
    keys = [entry.key for entry in wanted]
    tables = for_job(ctx.settings, job)
    contents = content_consumption.read(ctx.gateway, tables.content_consumption, keys)
    rows = enrolments.read(ctx.gateway, tables.enrolments, keys)
    count("db-read-count", 2 * len(keys), job=job)
    count("processed-enrolment-count", len(keys), job=job)
    relations = _relations(job, wanted, contents, ctx)
    statuses = CourseStatuses(ctx.search if job == "activity_aggregate_updater" else ctx.reconciliation_search)
    inputs = {
        entry.key: _inputs(entry, contents[entry.key], rows[entry.key], relations[entry.key.course_id], statuses)
        for entry in wanted
    }
    retired = sum(isinstance(found, ProgressInputs) and found.retired for found in inputs.values())
    count("retired-consumption-events-count", retired, job=job)
    return inputs


def write(
    job: ProgressJob,
    decisions: Iterable[ProgressDecision],
    tokens: Mapping[EnrolmentKey, int],
    now: datetime,
    ctx: ProgressResources,
) -> dict[EnrolmentKey, LernError]:
    """Write the rows of all decisions at once, with each lock's token as write timestamp; the errors by enrolment."""
    tables = for_job(ctx.settings, job)
    mutations: list[Mutation] = []
    owners: list[EnrolmentKey] = []
    for decision in decisions:
        key, token = decision.key, tokens[decision.key]
        own = content_consumption.write_counts(tables.content_consumption, key, decision.merged, timestamp=token)
        if decision.progress is not None:
            own += activity_aggregates.write_completed(
                tables.activity_agg, key, decision.progress, now=now, timestamp=token
            )
        if decision.update is not None:
            own += enrolments.write_progress(tables.enrolments, key, decision.update, now=now, timestamp=token)
            count("enrolment-complete-count", decision.update.newly_completed, job=job)
        mutations += own
        owners += [key] * len(own)
    count("db-update-count", len(mutations), job=job)
    results = ctx.gateway.apply(mutations, batch_size=ctx.settings.progress(job).threshold_batch_write_size)
    return {owner: error for owner, error in zip(owners, results, strict=True) if error is not None}


def _relations(
    job: ProgressJob,
    wanted: Sequence[ProgressRequest],
    stored: Mapping[EnrolmentKey, Mapping[str, StoredContent] | LernError],
    ctx: ProgressResources,
) -> dict[str, CourseRelations]:
    by_course: dict[str, set[str]] = {}
    for entry in wanted:
        found = stored[entry.key]
        contents = by_course.setdefault(entry.key.course_id, set())
        contents.update(entry.completed)
        if not isinstance(found, LernError):
            contents.update(found)
    units = ctx.settings.progress(job).activity_module_aggs_enabled
    relations = ctx.course_relations(job).read(by_course, units=units)
    missing = sum(not entry.leaf_nodes for entry in relations.values())
    count("cache-hit-count", len(relations) - missing, job=job)
    count("cache-miss-count", missing, job=job)
    return relations


def _inputs(
    entry: ProgressRequest,
    stored: Mapping[str, StoredContent] | LernError,
    row: StoredEnrolment | LernError,
    relations: CourseRelations,
    statuses: CourseStatuses,
) -> ProgressInputs | LernError:
    if isinstance(stored, LernError):
        return stored
    if isinstance(row, LernError):
        return row
    # Where nothing is stored to reconcile, nothing will be computed: nobody is asked about the course.
    retired = not relations.leaf_nodes and bool(stored or not entry.reconciling)
    if retired:
        error = statuses.why_not_yet(entry.key.course_id)
        if error is not None:
            return error
    return ProgressInputs(
        key=entry.key,
        completed=entry.completed,
        fresh=entry.fresh,
        pending=entry.pending,
        stored=stored,
        row=row,
        relations=relations,
        retired=retired,
        reconciling=entry.reconciling,
        delivered_before=entry.delivered_before,
    )
