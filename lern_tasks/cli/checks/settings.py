"""Settings that do nothing, and settings that contradict each other."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from lern_tasks.cli.checks.finding import Finding, ok, problem, warning
from lern_tasks.cli.effective import effective
from lern_tasks.settings import Settings

_NO_EFFECT = "has no effect"
"""How the note of such a setting begins."""


def check(settings: Settings) -> Iterator[Finding]:
    """What is set to no effect; whether the relation cache is read where it is written."""
    idle = [row for row in effective(settings) if row.changed and row.note.startswith(_NO_EFFECT)]
    for row in idle:
        yield warning("settings", f"{row.variable} is set and {row.note}", f"unset {row.variable}")
    if not idle:
        yield ok("settings", "nothing is set that has no effect")
    written = settings.redis_url("relation_cache", "relation_cache_updater")
    read = settings.redis_url("relation_cache", "activity_aggregate_updater")
    if _place(written) == _place(read):
        yield ok("relation cache", f"written and read at {_place(read)}")
    else:
        yield problem(
            "relation cache",
            f"written at {_place(written)}, read at {_place(read)}",
            "set redis.database.index of the updater and redis.database.relationCache.id of the aggregator alike",
        )


def _place(url: str) -> str:
    """Server and database, without the login."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 6379}{parts.path or '/0'}"
