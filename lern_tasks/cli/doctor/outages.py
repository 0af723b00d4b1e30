"""Operations of services that are out, as the tasks that call them have found."""

from collections.abc import Iterator
from datetime import UTC, datetime

from lern_tasks.cli.doctor.finding import Check, Finding, ok, problem
from lern_tasks.cli.doctor.redis import connect
from lern_tasks.delivery.outages.breakers import Breakers
from lern_tasks.errors import DependencyDown
from lern_tasks.settings import Settings

_WHY = "records that need it wait; after LERN_TASKS__MAX_OUTAGE they are dead letters"


def checks() -> list[Check]:
    """What fails for every record that needs it, although the service may answer `lern doctor`."""
    return [Check(name="outages", look=_check, why=_WHY)]


def _check(settings: Settings) -> Iterator[Finding]:
    client = connect(settings.redis_url("state"))
    try:
        found = Breakers.from_settings(client, settings).out()
    except DependencyDown:
        # The check of Redis tells.
        return
    finally:
        client.close()
    for operation, breaker in found.items():
        since = datetime.fromtimestamp(breaker.since_ms / 1000, tz=UTC).isoformat(timespec="seconds")
        result = f"`{operation}` fails for every record since {since}: {breaker.error}"
        yield problem("outages", result, "mend the service; the records go on by themselves within a minute")
    if not found:
        yield ok("outages", "no operation of a service is out")
