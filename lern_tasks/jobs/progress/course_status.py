"""Courses without leaf nodes: retired, or to be waited for. See docs/jobs/activity_aggregate_updater.md, "Failure"."""

from lern_tasks.errors import DependencyDown, NotYet, Refused, TransientError
from lern_tasks.sunbird.search_service import SearchClient

_RETIRED = "Retired"


class CourseStatuses:
    """Asks the search service, each course at most once a message."""

    def __init__(self, search: SearchClient) -> None:
        self._search = search
        self._known: dict[str, NotYet | None] = {}

    def why_not_yet(self, course_id: str) -> NotYet | None:
        """The error for a course whose relations are to come; None for a retired one, which will have none."""
        if course_id not in self._known:
            self._known[course_id] = self._ask(course_id)
        return self._known[course_id]

    def _ask(self, course_id: str) -> NotYet | None:
        try:
            status = self._search.collection_status(course_id)
        except DependencyDown as error:
            # Only these records wait: other courses' progress does not depend on the search service.
            return NotYet(f"no leaf nodes of the course, and {error}", course_id=course_id, spends=False)
        except (NotYet, TransientError, Refused) as error:
            return NotYet(f"no leaf nodes of the course, and its status is unknown: {error}", course_id=course_id)
        if status == _RETIRED:
            return None
        return NotYet(
            f"the relation cache has no leaf nodes of the course, which is {status}; "
            f"publish it again, or send a relation-cache-update for it",
            course_id=course_id,
        )
