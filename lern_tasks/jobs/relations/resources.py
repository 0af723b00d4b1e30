"""The relation cache, and what it is made from."""

from functools import cached_property

from lern_tasks.catalogue import JobName
from lern_tasks.delivery.resources import Resources
from lern_tasks.jobs.relations.hierarchies import Hierarchies
from lern_tasks.jobs.relations.relation_cache import RelationCache
from lern_tasks.sunbird.table_names import for_job


class RelationResources(Resources):
    """The relation cache, and what it is made from."""

    @cached_property
    def relation_cache(self) -> RelationCache:
        """Relations as the updater writes them; the aggregator reads where the updater writes."""
        return RelationCache(
            self.redis.client("relation_cache", "relation_cache_updater"),
            self.redis.client("units", "relation_cache_updater"),
        )

    @property
    def hierarchies(self) -> Hierarchies:
        """The stored trees of published collections."""
        return Hierarchies(self.gateway, for_job(self.settings, "relation_cache_updater").content_hierarchy)

    def course_relations(self, job: JobName) -> RelationCache:
        """Relations as `job` reads them."""
        return RelationCache(self.redis.client("relation_cache", job), self.redis.client("units"))
