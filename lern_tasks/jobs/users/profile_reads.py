"""The profiles that one message needs, from the user service. See docs/jobs/user_cache_updater.md, "User read"."""

from lern_tasks.errors import LernError
from lern_tasks.jobs.users.profile_service import Profile
from lern_tasks.jobs.users.resources import JOB, UserResources
from lern_tasks.jobs.users.rules.framework import framework_id
from lern_tasks.jobs.users.rules.profile import profile_fields
from lern_tasks.metrics import count


class ProfileReads:
    """Reads users one after the other."""

    def __init__(self, ctx: UserResources) -> None:
        self._ctx = ctx

    def fields(self, user_id: str) -> dict[str, str] | None:
        """The fields of the user's profile; None when the account is blocked. Raises what the clients raise."""
        try:
            profile = self._ctx.user_profiles.read(user_id)
            fields = None if profile.blocked else self._fields(user_id, profile)
        except LernError:
            count("api-read-miss-count", job=JOB)
            raise
        count("api-read-miss-count" if fields is None else "api-read-success-count", job=JOB)
        return fields

    def _fields(self, user_id: str, profile: Profile) -> dict[str, str]:
        kinds = self._ctx.settings.user_cache_updater.framework_fields
        categories: list[str] | None = None
        if kinds != "legacy":
            identifier = framework_id(profile.fields.get("framework"))
            categories = self._ctx.frameworks.categories(identifier) if identifier else []
        return profile_fields(user_id, profile.fields, legacy=kinds != "dynamic", categories=categories)
