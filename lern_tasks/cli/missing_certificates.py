"""`lern missing-certificates`: who is complete and lacks one. See docs/administration.md, "Missing certificates"."""

import sys
from datetime import UTC, datetime, timedelta

import click

from lern_tasks.cli import task_options, task_run
from lern_tasks.cli.issued import print_issued
from lern_tasks.operations.arguments import moment

_DAYS = 7
"""As far back as the nightly sweep looks."""


@click.command("missing-certificates")
@click.option("--since", metavar="DATE", help="Completed since this date (UTC).  [default: a week ago]")
@click.option("--fix", is_flag=True, help="Ask for what is missing, too.")
@task_options.no_wait
@task_options.as_json
def command(*, since: str | None, fix: bool, no_wait: bool, as_json: bool) -> None:
    """Find learners who completed a course, earned a certificate and do not have it, whatever it was lost by.

    Also who became complete because contents were taken out of a course, whenever that was.

    Exit status 1: some are missing and were not asked for, a template is wrong, or an enrolment could not be evaluated.
    """
    begin = since if since is not None else str((datetime.now(UTC) - timedelta(days=_DAYS)).date())
    moment("since", begin)
    arguments = {"since": begin, "fix": fix}
    result = task_run.run("lern.sweep_missing_certificates", arguments, wait=not no_wait, as_json=as_json)
    if not as_json:
        print_issued(result, "course and batch")
    missing = result["learners"] > result["asked"] or result["overdue"] > result["reconciled"]
    if missing or result["failed"] or result["broken"]:
        sys.exit(1)
