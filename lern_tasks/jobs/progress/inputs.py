"""What is to be computed, and everything that is read for it. See docs/jobs/activity_aggregate_updater.md, "Rows".

Each job that computes progress has its own settings, tables, relation cache and search service.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lern_tasks.catalogue import ProgressJob
from lern_tasks.errors import LernError
from lern_tasks.jobs.progress.course_status import CourseStatuses
from lern_tasks.jobs.progress.resources import ProgressResources
from lern_tasks.jobs.progress.rules.content_counts import PendingCounts, StoredContent, still_to_count
from lern_tasks.jobs.progress.rules.decision import ProgressInputs
from lern_tasks.jobs.progress.rules.enrolment_row import StoredEnrolment
from lern_tasks.metrics import count
from lern_tasks.sunbird.course_relations import CourseRelations
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressRequest:
    """One enrolment to compute: the contents its events completed, those to count, and counts noted down before.

    `read_again`: of those to count, those that events bring which may have been counted (`lern rewind`).
    `reconciling`: computed on demand, from what is stored alone.
    """

    key: EnrolmentKey
    completed: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()
    pending: Mapping[str, PendingCounts] = field(default_factory=dict)
    read_again: frozenset[str] = frozenset()
    delivered_before: bool = False
    reconciling: bool = False


def read_inputs(
    job: ProgressJob, requests: Sequence[ProgressRequest], ctx: ProgressResources
) -> dict[EnrolmentKey, ProgressInputs | LernError]:
    """What was read for each enrolment, or why it could not be: one round trip a table for all of them.

    Raises DependencyDown when Redis does not answer.
    """
    keys = [request.key for request in requests]
    rows = ctx.progress_rows(job)
    contents, enrolments = rows.read_contents(keys), rows.read_enrolments(keys)
    count("db-read-count", 2 * len(keys), job=job)
    count("processed-enrolment-count", len(keys), job=job)
    relations = _relations(job, requests, contents, ctx)
    statuses = CourseStatuses(ctx.course_search(job))
    inputs = {
        request.key: _inputs(
            request, contents[request.key], enrolments[request.key], relations[request.key.course_id], statuses
        )
        for request in requests
    }
    retired = sum(isinstance(found, ProgressInputs) and found.retired for found in inputs.values())
    count("retired-consumption-events-count", retired, job=job)
    return inputs


def _relations(
    job: ProgressJob,
    requests: Sequence[ProgressRequest],
    stored: Mapping[EnrolmentKey, Mapping[str, StoredContent] | LernError],
    ctx: ProgressResources,
) -> dict[str, CourseRelations]:
    by_course: dict[str, set[str]] = {}
    for request in requests:
        found = stored[request.key]
        contents = by_course.setdefault(request.key.course_id, set())
        contents.update(request.completed)
        if not isinstance(found, LernError):
            contents.update(found)
    units = ctx.settings.progress(job).activity_module_aggs_enabled
    relations = ctx.course_relations(job).read(by_course, units=units)
    missing = sum(not found.leaf_nodes for found in relations.values())
    count("cache-hit-count", len(relations) - missing, job=job)
    count("cache-miss-count", missing, job=job)
    return relations


def _inputs(
    request: ProgressRequest,
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
    retired = not relations.leaf_nodes and bool(stored or not request.reconciling)
    if retired:
        error = statuses.why_not_yet(request.key.course_id)
        if error is not None:
            return error
    return ProgressInputs(
        key=request.key,
        completed=request.completed,
        fresh=still_to_count(request.fresh, request.read_again, stored, request.pending),
        pending=request.pending,
        stored=stored,
        row=row,
        relations=relations,
        retired=retired,
        reconciling=request.reconciling,
        delivered_before=request.delivered_before,
    )
