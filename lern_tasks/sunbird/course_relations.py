"""What the relation cache knows of a course, as those who count by it read it.

See docs/jobs/relation_cache_updater.md, "Rows".
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseRelations:
    """What the relation cache knows of a course, for the contents of one or more enrolments.

    `ancestors` are the collections, course included, by content id; unit sets are by unit id. Sets may be empty.
    """

    course_id: str
    leaf_nodes: frozenset[str]
    optional_nodes: frozenset[str]
    ancestors: Mapping[str, frozenset[str]]
    unit_leaf_nodes: Mapping[str, frozenset[str]]
    unit_optional_nodes: Mapping[str, frozenset[str]]

    @property
    def mandatory(self) -> frozenset[str]:
        """The contents that complete the course."""
        return self.leaf_nodes - self.optional_nodes
