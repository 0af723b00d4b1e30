"""What other domains, administrators' tasks and benchmarks use of relations.

Pure rules of other domains take `rules.course_relations` from its own module: this one opens stores.
"""

from lern_tasks.jobs.relations.refresh_request import relations_request
from lern_tasks.jobs.relations.relation_cache import RelationCache
from lern_tasks.jobs.relations.resources import RelationResources
from lern_tasks.jobs.relations.rules.course_relations import CourseRelations
from lern_tasks.jobs.relations.rules.hierarchy import derive

__all__ = ["CourseRelations", "RelationCache", "RelationResources", "derive", "relations_request"]
