"""The relation cache."""

from functools import cached_property

from lern_tasks.catalogue import JobName
from lern_tasks.delivery.resources import Resources
from lern_tasks.jobs.relations.relation_cache import RelationCache


class RelationResources(Resources):
    """The relation cache."""

    @cached_property
    def relation_cache(self) -> RelationCache:
        """Relations as the updater writes them; the aggregator reads where the updater writes."""
        return RelationCache(
            self.redis.client("relation_cache", "relation_cache_updater"),
            self.redis.client("units", "relation_cache_updater"),
        )

    def course_relations(self, job: JobName) -> RelationCache:
        """Relations as `job` reads them."""
        return RelationCache(self.redis.client("relation_cache", job), self.redis.client("units"))
