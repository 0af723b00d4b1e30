"""Courses without leaf nodes: retired, or to be waited for. See docs/jobs/activity_aggregate_updater.md, "Failure"."""

from lern_tasks.errors import DependencyDown, NotReady, RefusedByService, TransientError
from lern_tasks.jobs.progress.search_service import SearchClient
from lern_tasks.jobs.relations.api import relations_request

_RETIRED = "Retired"


class CourseStatuses:
    """Asks the search service, each course at most once a message."""

    def __init__(self, search: SearchClient) -> None:
        self._search = search
        self._known: dict[str, NotReady | None] = {}

    def why_not_yet(self, course_id: str) -> NotReady | None:
        """The error for a course whose relations are to come; None for a retired one, which will have none."""
        if course_id not in self._known:
            self._known[course_id] = self._ask(course_id)
        return self._known[course_id]

    def _ask(self, course_id: str) -> NotReady | None:
        remedy = relations_request(course_id)
        try:
            status = self._search.collection_status(course_id)
        except (DependencyDown, TransientError) as error:
            # Only these records wait: other courses' progress does not depend on the search service, whose faults say
            # nothing of the course.
            return NotReady(f"no leaf nodes of the course, and {error}", remedy=remedy, consumes=False)
        except (NotReady, RefusedByService) as error:
            return NotReady(f"no leaf nodes of the course, and its status is unknown: {error}", remedy=remedy)
        if status == _RETIRED:
            return None
        return NotReady(
            f"the relation cache has no leaf nodes of the course, which is {status}; "
            f"publish it again: a replay of this event asks for the cache by itself",
            remedy=remedy,
        )
