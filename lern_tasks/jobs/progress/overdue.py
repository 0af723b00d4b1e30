"""Who is complete without knowing it: contents were taken out of the course. See docs/administration.md.

Nothing is written here: reconciliation completes such an enrolment.
"""

from collections.abc import Mapping

from lern_tasks.jobs.progress.enrolment_reconciliation import JOB
from lern_tasks.jobs.progress.resources import ProgressResources
from lern_tasks.jobs.progress.rules.progress import compute_progress
from lern_tasks.sunbird.enrolment_key import EnrolmentKey


def overdue(statuses: Mapping[EnrolmentKey, Mapping[str, int]], ctx: ProgressResources) -> frozenset[EnrolmentKey]:
    """The enrolments that are complete by the present contents of their course; `statuses` are of stored contents.

    Raises DependencyDown.
    """
    relations = ctx.course_relations(JOB).read({key.course_id: () for key in statuses}, units=False)
    return frozenset(
        key
        for key, found in statuses.items()
        if found and compute_progress(relations[key.course_id], found, units=False).complete
    )
