"""How far an enrolment is: contents done of those required. See docs/jobs/activity_aggregate_updater.md, "Rules".

Always recomputed from statuses and relations, never incremented: order and number of deliveries cannot matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lern_tasks.jobs.progress.rules.content_counts import COMPLETED
from lern_tasks.sunbird.course_relations import CourseRelations


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`completed` of `required` mandatory contents (counts, not percentages); `units` is `completed` by unit id."""

    completed: int
    required: int
    complete: bool
    units: Mapping[str, int]
    content_status: Mapping[str, int]


def compute_progress(relations: CourseRelations, content_status: Mapping[str, int], *, units: bool = True) -> Progress:
    """Compute course and unit progress from `content_status` (status by content id, all contents of the enrolment).

    A course whose contents are all optional is complete at once. A course without any leaf node is never complete:
    its relations are missing. Units with an empty leaf set are left out: a number for them would overwrite a good one.
    """
    done = {content_id for content_id, status in content_status.items() if status == COMPLETED}
    completed = len(relations.mandatory & done)
    return Progress(
        completed=completed,
        required=len(relations.mandatory),
        complete=bool(relations.leaf_nodes) and completed >= len(relations.mandatory),
        units=_unit_progress(relations, content_status, done) if units else {},
        content_status=dict(content_status),
    )


def units_of(relations: CourseRelations, content_status: Mapping[str, int]) -> frozenset[str]:
    """The collections below the course that hold any of these contents."""
    holders = (relations.ancestors.get(content_id, frozenset()) for content_id in content_status)
    return frozenset().union(*holders) - {relations.course_id}


def _unit_progress(relations: CourseRelations, content_status: Mapping[str, int], done: set[str]) -> Mapping[str, int]:
    none: frozenset[str] = frozenset()
    return {
        unit: len((leaves - relations.unit_optional_nodes.get(unit, none)) & done)
        for unit in sorted(units_of(relations, content_status))
        if (leaves := relations.unit_leaf_nodes.get(unit, none))
    }
