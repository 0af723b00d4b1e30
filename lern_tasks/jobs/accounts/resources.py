"""The rows of accounts, and the ledger of what was merged."""

from typing import Final

from lern_tasks.delivery.resources import Resources
from lern_tasks.jobs.accounts.ledger import MergeLedger
from lern_tasks.jobs.accounts.rows import MergedRows
from lern_tasks.sunbird.table_names import JobTables, for_job

JOB: Final = "merge_user_courses"


class AccountResources(Resources):
    """The rows of accounts, and the ledger of what was merged."""

    @property
    def merge_ledger(self) -> MergeLedger:
        """What was added from one account to another."""
        return MergeLedger(self.gateway, self._tables.merge_ledger)

    def merged_rows(self) -> MergedRows:
        """The rows of accounts, for one merge: with the columns that the installation has now. Raises LernError."""
        return MergedRows.open(self.gateway, self._tables, attempts=self.settings.merge_user_courses.copy_attempts)

    @property
    def _tables(self) -> JobTables:
        return for_job(self.settings, JOB)
