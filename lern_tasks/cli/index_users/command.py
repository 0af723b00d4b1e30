"""`lern index-users`: the user cache from the tables, here and now. See docs/jobs/index_users.md, "By hand"."""

import sys
import time

import click
from celery import Celery

from lern_tasks import settings
from lern_tasks.cli.index_users.display import IndexDisplay, print_result
from lern_tasks.cli.index_users.run import IndexRun
from lern_tasks.cli.printing import console, say
from lern_tasks.jobs.users.api import YESTERDAY, UserResources, plan_of

_STOPPED = 130
"""The shell's exit status for Ctrl-C."""

_GIVEN = click.core.ParameterSource.COMMANDLINE


@click.command("index-users")
@click.option(
    "--since",
    default=YESTERDAY,
    show_default=True,
    metavar="DATE|full",
    help="Users changed since this date (UTC), or all.",
)
@click.option("--refresh", is_flag=True, help="All users, and remove what belongs to none any more.")
@click.option("--anonymous", is_flag=True, help="Copy users without account from their own database, nothing else.")
@click.option("--resume", is_flag=True, help="Go on with the last run, where it stopped.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def command(ctx: click.Context, *, since: str, refresh: bool, anonymous: bool, resume: bool, as_json: bool) -> None:
    """Fill the user cache, which reports read, from the user tables.

    Readers never see fewer users meanwhile. A run that was stopped goes on with --resume; as a task of its own it is
    `lern.index_users`. Exit status 1: some users were not indexed whole.
    """
    resources = UserResources(settings.load(), Celery("lern"))
    ctx.call_on_close(resources.close)
    if resume:
        _refuse_with_resume(ctx)
        run = IndexRun.last(resources)
    else:
        run = IndexRun.begin(resources, plan_of(since, refresh, anonymous, now_ms=resources.now_ms()))
    started, before = time.monotonic(), run.tally.users
    try:
        with IndexDisplay(console(stderr=True), before) as display:
            run.work(display.show)
    except KeyboardInterrupt:
        say("Stopped; `lern index-users --resume` goes on.", err=True)
        sys.exit(_STOPPED)
    tally = run.tally
    print_result(tally, seconds=time.monotonic() - started, users=tally.users - before, as_json=as_json)
    if tally.unreadable or tally.misplaced or tally.other_ids:
        sys.exit(1)


def _refuse_with_resume(ctx: click.Context) -> None:
    """A run goes on as it began: other options would be lost in silence."""
    given = [name for name in ("since", "refresh", "anonymous") if ctx.get_parameter_source(name) == _GIVEN]
    if given:
        raise click.UsageError(f"--resume goes on as the run began; leave out --{' and --'.join(given)}")
