"""Which job uses which Redis role, and what is lost with it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lern_tasks.catalogue import ROWS, EventJob, JobName, RedisRole
from lern_tasks.cli.doctor.finding import Jobs
from lern_tasks.cli.doctor.used import used
from lern_tasks.settings import Settings
from lern_tasks.settings.redis_address import parsed

MUST_KEEP: tuple[RedisRole, ...] = ("broker", "state", "dedup")
"""What is lost here is a task, a registry intent, a count."""

_KEPT: tuple[RedisRole, ...] = (*MUST_KEEP, "users", "anonymous_users")
"""Nothing may be thrown away. Users can be indexed again after a loss, all of them; one by one nobody would notice."""

_FOR_ALL: tuple[RedisRole, ...] = ("broker", "results", "state")

_WHY: dict[RedisRole, str] = {
    "broker": "tasks that wait are there and nowhere else",
    "results": "how far a task is, and how it ended, is not seen; administrators' commands get no answer",
    "state": "no lock, so nothing is written; lost registry intents may double a certificate",
    "relation_cache": "events of courses without relations wait for them, then become dead letters",
    "units": "the relation cache is not complete without its units: the publication waits",
    "metadata": "what contents are is not known: certificates by assessment, and the check of questions, wait for it",
    "collection": "names of courses come from there: certificates wait for it",
    "dedup": "it tells which contents were counted: without it view counts grow twice",
    "users": "reports leave out each learner who is not in the user cache",
    "anonymous_users": "lern index-users --anonymous copies users without account from there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One role on one database, for all jobs that use it there. `scope`: the job whose settings place it, if any."""

    role: RedisRole
    url: str
    scope: JobName | None
    jobs: Jobs

    @property
    def why(self) -> str:
        """What happens without it."""
        return _WHY[self.role]

    @property
    def kept(self) -> bool:
        """Whether the server must persist it and evict nothing."""
        return self.role in _KEPT

    @property
    def variable(self) -> str:
        """What places it."""
        own = f" (or what `lern settings {self.scope}` places it by)" if self.scope else ""
        return f"LERN_REDIS__{self.role.upper()} or LERN_REDIS__URL{own}"

    @property
    def shell(self) -> str:
        """The beginning of a command to its server."""
        address = parsed(self.url)
        return f"redis-cli -h {address.host} -p {address.port}{' --tls' if address.with_tls else ''}"


def uses(settings: Settings, jobs: Jobs) -> list[Use]:
    """What `jobs` use, each role on each database once."""
    found: dict[tuple[RedisRole, str], Use] = {}
    for role in _FOR_ALL:
        found[role, ""] = Use(role=role, url=settings.redis_url(role), scope=None, jobs=())
    for job in jobs:
        for role, scope in _of(settings, job):
            url = settings.redis_url(role, scope)
            own = scope if url != settings.redis_url(role) else None
            use = found.get((role, url), Use(role=role, url=url, scope=own, jobs=()))
            found[role, url] = replace(use, jobs=(*use.jobs, job))
    return list(found.values())


def _of(settings: Settings, job: EventJob) -> Iterator[tuple[RedisRole, JobName | None]]:
    """The roles of one job, each with the job whose settings place it."""
    for use in ROWS[job].redis:
        if used(settings, job, use.unless):
            yield use.role, job if use.of == "" else use.of
