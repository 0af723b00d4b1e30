"""Everything that is looked at for some jobs."""

from lern_tasks.cli.doctor import (
    bridge,
    cassandra,
    kafka,
    outages,
    redis,
    relation_cache,
    services,
    settings,
    templates,
    workers,
)
from lern_tasks.cli.doctor.finding import Check, Jobs
from lern_tasks.settings import Settings


def checks(values: Settings, jobs: Jobs) -> list[Check]:
    """The checks of what every job needs, and of what `jobs` need as they are set."""
    return [
        *settings.checks(jobs),
        *kafka.checks(jobs),
        *redis.checks(values, jobs),
        *cassandra.checks(values, jobs),
        *workers.checks(jobs),
        *bridge.checks(jobs),
        *relation_cache.checks(values, jobs),
        *services.checks(values, jobs),
        *templates.checks(jobs),
        *outages.checks(),
    ]
