"""Reading what progress is computed from, and writing what it gives.

See docs/jobs/activity_aggregate_updater.md, "Rows".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lern_tasks.counters import count
from lern_tasks.errors import DependencyDown, LernError, NotYet, Refused, TransientError
from lern_tasks.rules.enrolment import EnrolmentKey
from lern_tasks.rules.progress import CourseRelations, Pending, StoredContent, StoredEnrolment
from lern_tasks.rules.progress_decision import ProgressDecision, ProgressInputs
from lern_tasks.stores import activity_agg, content_consumption, enrolments
from lern_tasks.stores.gateway import Mutation
from lern_tasks.stores.tables import for_job
from lern_tasks.wiring import World

JOB: Final = "activity_aggregate_updater"

RETIRED = "Retired"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One enrolment to compute: the contents its events completed, those to count, and counts noted down before."""

    key: EnrolmentKey
    completed: frozenset[str]
    fresh: frozenset[str]
    pending: Mapping[str, Pending]
    delivered_before: bool


def read(wanted: Sequence[Wanted], world: World) -> dict[EnrolmentKey, ProgressInputs | LernError]:
    """What was read for each enrolment, or why it could not be: one round trip a table for all of them.

    Raises DependencyDown when Redis does not answer.
    """
    keys = [entry.key for entry in wanted]
    tables = for_job(world.settings, JOB)
    contents = content_consumption.read(world.gateway, tables.content_consumption, keys)
    rows = enrolments.read(world.gateway, tables.enrolments, keys)
    count("db-read-count", 2 * len(keys), job=JOB)
    count("processed-enrolment-count", len(keys), job=JOB)
    relations = _relations(wanted, contents, world)
    statuses = _Statuses(world)
    return {
        entry.key: _inputs(entry, contents[entry.key], rows[entry.key], relations[entry.key.course_id], statuses)
        for entry in wanted
    }


def write(
    decisions: Iterable[ProgressDecision], tokens: Mapping[EnrolmentKey, int], now: datetime, world: World
) -> dict[EnrolmentKey, LernError]:
    """Write the rows of all decisions at once, with each lock's token as write timestamp; the errors by enrolment."""
    tables = for_job(world.settings, JOB)
    mutations: list[Mutation] = []
    owners: list[EnrolmentKey] = []
    for decision in decisions:
        key, token = decision.key, tokens[decision.key]
        own = content_consumption.write_counts(tables.content_consumption, key, decision.merged, timestamp=token)
        if decision.progress is not None:
            own += activity_agg.write_completed(tables.activity_agg, key, decision.progress, now=now, timestamp=token)
        if decision.update is not None:
            own += enrolments.write_progress(tables.enrolments, key, decision.update, now=now, timestamp=token)
            count("enrolment-complete-count", decision.update.newly_completed, job=JOB)
        mutations += own
        owners += [key] * len(own)
    count("db-update-count", len(mutations), job=JOB)
    results = world.gateway.apply(mutations)
    return {owner: error for owner, error in zip(owners, results, strict=True) if error is not None}


def _relations(
    wanted: Sequence[Wanted],
    stored: Mapping[EnrolmentKey, Mapping[str, StoredContent] | LernError],
    world: World,
) -> dict[str, CourseRelations]:
    by_course: dict[str, set[str]] = {}
    for entry in wanted:
        found = stored[entry.key]
        contents = by_course.setdefault(entry.key.course_id, set())
        contents.update(entry.completed)
        if not isinstance(found, LernError):
            contents.update(found)
    relations = world.course_relations.read(
        by_course, units=world.settings.activity_aggregate_updater.activity_module_aggs_enabled
    )
    missing = sum(not entry.leaf_nodes for entry in relations.values())
    count("cache-hit-count", len(relations) - missing, job=JOB)
    count("cache-miss-count", missing, job=JOB)
    return relations


def _inputs(
    entry: Wanted,
    stored: Mapping[str, StoredContent] | LernError,
    row: StoredEnrolment | LernError,
    relations: CourseRelations,
    statuses: "_Statuses",
) -> ProgressInputs | LernError:
    for found in (stored, row):
        if isinstance(found, LernError):
            return found
    retired = False
    if not relations.leaf_nodes:
        status = statuses.of(entry.key.course_id)
        if isinstance(status, LernError):
            return status
        retired = True
        count("retired-consumption-events-count", job=JOB)
    assert not isinstance(stored, LernError)  # noqa: S101 (returned above)
    assert not isinstance(row, LernError)  # noqa: S101 (returned above)
    return ProgressInputs(
        key=entry.key,
        completed=entry.completed,
        fresh=entry.fresh,
        pending=entry.pending,
        stored=stored,
        row=row,
        relations=relations,
        retired=retired,
        delivered_before=entry.delivered_before,
    )


class _Statuses:
    """The status of courses without leaf nodes, asked once a message."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, str | LernError] = {}

    def of(self, course_id: str) -> str | LernError:
        """`Retired`, or the error for a course whose relations are to come."""
        if course_id not in self._known:
            self._known[course_id] = self._ask(course_id)
        return self._known[course_id]

    def _ask(self, course_id: str) -> str | LernError:
        try:
            status = self._world.search.collection_status(course_id)
        except DependencyDown as error:
            # Only these records wait: other courses' progress does not depend on the search service.
            return NotYet(f"no leaf nodes of the course, and {error}", course_id=course_id, spends=False)
        except (NotYet, TransientError, Refused) as error:
            return NotYet(f"no leaf nodes of the course, and its status is unknown: {error}", course_id=course_id)
        if status == RETIRED:
            return status
        return NotYet(
            f"the relation cache has no leaf nodes of the course, which is {status}; "
            f"publish it again, or send a relation-cache-update for it",
            course_id=course_id,
        )
