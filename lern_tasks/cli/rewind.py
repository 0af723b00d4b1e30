"""`lern rewind`: lets a job read its topic again. See docs/operations.md, "Redis"."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from bridge.publisher import bare_app
from bridge.routes import routes
from lern_tasks import settings
from lern_tasks.catalogue import EVENT_JOBS, ROWS, EventJob
from lern_tasks.cli.dead_letters.options import Moment
from lern_tasks.cli.group_offsets import PartitionPlan, members, plan, set_back
from lern_tasks.cli.printing import print_table, say
from lern_tasks.delivery.resources import Resources
from lern_tasks.errors import RefusedByService
from lern_tasks.jobs.progress.api import ProgressResources

_BEGINNING = "beginning"


class MomentOrBeginning(Moment):
    """A moment, or `beginning`, which is None."""

    name = "TIME|beginning"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The aware datetime, or the word."""
        return _BEGINNING if value == _BEGINNING else super().convert(value, param, ctx)


@click.command("rewind")
@click.option("--job", required=True, help="The job whose topic is to be read again.")
@click.option("--to", required=True, type=MomentOrBeginning(), help="2024-02-29T10:00:00Z, 90m, 12h, 7d or beginning.")
@click.option("--dry-run", is_flag=True, help="Only show where the offsets would go.")
@click.option("--force", is_flag=True, help="The broker does not tell who is in the group, but the bridge is stopped.")
def command(*, job: str, to: datetime | str, dry_run: bool, force: bool) -> None:
    """Set a job's consumer group back, so that the bridge dispatches again what came since a time.

    For a task broker that lost its queues. Records that were processed already change nothing, also when the dedup
    markers were lost too: a content that its row shows as completed is not counted by them again. Stop the bridge of
    that job first: a group with members is refused.
    """
    values = settings.load()
    route = next((r for r in routes(values) if r.job == job.replace("-", "_")), None)
    if route is None:
        raise click.BadParameter(f"there is no job {job!r} with a topic; there are: {', '.join(EVENT_JOBS)}")
    plans = plan(values, route.topic, route.group, to if isinstance(to, datetime) else None)
    print_table(
        ("partition", "committed", "back to", "read again", "end"),
        [(p.partition, _text(p.committed), _text(p.target), p.again, p.end) for p in plans],
        title=f"group {route.group}, topic {route.topic}",
    )
    if dry_run:
        say("Nothing was changed.")
        return
    _refuse_active(values, route.group, force)
    _remember(values, route.job, route.topic, plans)
    set_back(values, route.topic, route.group, plans)
    say(f"{sum(p.again for p in plans)} records will be read again; start `python -m bridge --job {route.job}`.")


def _remember(values: settings.Settings, job: EventJob, topic: str, plans: Sequence[PartitionPlan]) -> None:
    """Tell a job that counts by dedup markers which records come again; before they can."""
    if any(use.role == "dedup" for use in ROWS[job].redis):
        ctx = Resources(values, bare_app(values)).view(ProgressResources)
        try:
            ctx.markers.read_again_below({(topic, p.partition): p.committed for p in plans if p.committed and p.again})
        finally:
            ctx.close()


def _refuse_active(values: settings.Settings, group: str, force: bool) -> None:
    active = members(values, group)
    if active:
        raise RefusedByService(f"group {group} has {active} members: stop its bridge (or Flink job), then try again")
    if active is None and not force:
        raise RefusedByService(
            f"the broker does not tell whether group {group} has members: stop its bridge, then add --force"
        )


def _text(offset: int | None) -> str:
    return "never" if offset is None else str(offset)
