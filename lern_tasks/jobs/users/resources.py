"""What the user cache is made from, and where it lies."""

from functools import cached_property
from typing import Final

from lern_tasks.delivery.resources import Resources
from lern_tasks.jobs.users.framework_service import FrameworkClient
from lern_tasks.jobs.users.index.cache_sweep import UserCacheSweep
from lern_tasks.jobs.users.index.rows import UserRows
from lern_tasks.jobs.users.index.runs import IndexRuns
from lern_tasks.jobs.users.profile_service import UserProfileClient
from lern_tasks.jobs.users.user_cache import UserCache
from lern_tasks.sunbird.table_names import for_job

JOB: Final = "user_cache_updater"
"""Whose settings name the keyspace, the Redis databases and the values, for the bulk index too."""


class UserResources(Resources):
    """What the user cache is made from, and where it lies."""

    @cached_property
    def user_cache(self) -> UserCache:
        """The user cache."""
        return UserCache(self.redis.client("users", JOB))

    @cached_property
    def user_hashes(self) -> UserCacheSweep:
        """All hashes of the user cache."""
        return UserCacheSweep(self.redis.client("users", JOB))

    @cached_property
    def anonymous_hashes(self) -> UserCacheSweep:
        """All hashes of users without account, in the database that they are copied from."""
        return UserCacheSweep(self.redis.client("anonymous_users", JOB))

    def user_rows(self) -> UserRows:
        """The tables of users, for one run of the bulk index."""
        return UserRows(self.gateway, for_job(self.settings, JOB))

    @cached_property
    def index_runs(self) -> IndexRuns:
        """Which run of the bulk user index goes on."""
        return IndexRuns(self.redis.client("state"))

    @cached_property
    def user_profiles(self) -> UserProfileClient:
        """The user service, as the user cache asks it."""
        return self.opened("user_profiles", UserProfileClient.from_settings(self.settings))

    @cached_property
    def frameworks(self) -> FrameworkClient:
        """The framework service."""
        return self.opened("frameworks", FrameworkClient.from_settings(self.settings))
