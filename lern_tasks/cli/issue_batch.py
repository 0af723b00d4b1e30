"""`lern issue-batch`: what the learners of a batch have earned and lack. See docs/administration.md, "Issuing"."""

import sys

import click

from lern_tasks.cli import task_options, task_run
from lern_tasks.cli.issued import print_issued
from lern_tasks.operations.arguments import text_id


@click.command("issue-batch")
@click.argument("course")
@click.argument("batch")
@click.option("--dry-run/--issue", default=True, show_default=True, help="Only say who would get what, or ask for it.")
@task_options.no_wait
@task_options.as_json
def command(*, course: str, batch: str, dry_run: bool, no_wait: bool, as_json: bool) -> None:
    """Evaluate every complete, active enrolment of a batch again: after a template was added or mended.

    Exit status 1: there is no such batch, a template is wrong, or an enrolment could not be evaluated.
    """
    arguments = {
        "course_id": text_id("course_id", course),
        "batch_id": text_id("batch_id", batch),
        "dry_run": dry_run,
    }
    result = task_run.run("lern.issue_batch", arguments, wait=not no_wait, as_json=as_json)
    if not as_json:
        print_issued(result, "template")
    if not result["found"] or result["failed"] or result["broken"]:
        sys.exit(1)
