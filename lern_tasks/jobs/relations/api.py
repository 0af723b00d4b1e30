"""What other domains, administrators' tasks and benchmarks use of relations."""

from lern_tasks.jobs.relations.refresh_request import relations_request
from lern_tasks.jobs.relations.resources import RelationResources
from lern_tasks.jobs.relations.rules.hierarchy import derive

__all__ = ["RelationResources", "derive", "relations_request"]
