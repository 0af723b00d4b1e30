"""What the jobs that compute progress talk to."""

from functools import cached_property

from lern_tasks.jobs.progress.dedup_markers import DedupMarkers
from lern_tasks.jobs.progress.search_service import SearchClient
from lern_tasks.jobs.relations.resources import RelationResources


class ProgressResources(RelationResources):
    """What the jobs that compute progress talk to."""

    @cached_property
    def markers(self) -> DedupMarkers:
        """Dedup markers and pending counts."""
        job = self.settings.activity_aggregate_updater
        client = self.redis.client("dedup", "activity_aggregate_updater")
        return DedupMarkers(client, expiry=job.dedup_redis_database_expiry, pending_ttl=self.settings.tasks.pending_ttl)

    @cached_property
    def search(self) -> SearchClient:
        """Status of collections, for the aggregator."""
        return self.opened("search", SearchClient.from_settings(self.settings))

    @cached_property
    def reconciliation_search(self) -> SearchClient:
        """Status of collections, for reconciliation."""
        return self.opened("search", SearchClient.from_settings(self.settings, "enrolment_reconciliation"))
