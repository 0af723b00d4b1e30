"""What the jobs that compute progress talk to."""

from functools import cached_property
from typing import get_args

from lern_tasks.catalogue import ProgressJob
from lern_tasks.jobs.progress.dedup_markers import DedupMarkers
from lern_tasks.jobs.progress.rows import ProgressRows
from lern_tasks.jobs.progress.search_service import SearchClient
from lern_tasks.jobs.relations.api import RelationResources
from lern_tasks.sunbird.table_names import JobTables, for_job


class ProgressResources(RelationResources):
    """What the jobs that compute progress talk to."""

    @cached_property
    def markers(self) -> DedupMarkers:
        """Dedup markers and pending counts."""
        job = self.settings.activity_aggregate_updater
        client = self.redis.client("dedup", "activity_aggregate_updater")
        return DedupMarkers(client, expiry=job.dedup_redis_database_expiry, pending_ttl=self.settings.tasks.pending_ttl)

    def progress_rows(self, job: ProgressJob) -> ProgressRows:
        """Contents, enrolments and aggregates, in the tables of `job`."""
        batch_size = self.settings.progress(job).threshold_batch_write_size
        return ProgressRows(job, self.gateway, self._progress_tables[job], batch_size=batch_size)

    @cached_property
    def _progress_tables(self) -> dict[ProgressJob, JobTables]:
        return {job: for_job(self.settings, job) for job in get_args(ProgressJob)}

    def course_search(self, job: ProgressJob) -> SearchClient:
        """Status of collections, as `job` asks for it."""
        return self.search if job == "activity_aggregate_updater" else self.reconciliation_search

    @cached_property
    def search(self) -> SearchClient:
        """Status of collections, for the aggregator."""
        return self.opened("search", SearchClient.from_settings(self.settings))

    @cached_property
    def reconciliation_search(self) -> SearchClient:
        """Status of collections, for reconciliation."""
        return self.opened("search", SearchClient.from_settings(self.settings, "enrolment_reconciliation"))
