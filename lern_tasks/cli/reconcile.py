"""`lern reconcile`: one enrolment, or all of a batch. See docs/administration.md, "Reconciling"."""

import sys

import click

from lern_tasks.cli import task_options, task_run
from lern_tasks.cli.printing import say
from lern_tasks.operations.arguments import enrolment, text_id


@click.command("reconcile")
@click.argument("user", required=False)
@click.argument("course", required=False)
@click.argument("batch", required=False)
@click.option("--course", "whole_course", metavar="COURSE", help="With --batch: every enrolment of the batch.")
@click.option("--batch", "whole_batch", metavar="BATCH", help="With --course.")
@task_options.no_wait
@task_options.as_json
def command(
    *,
    user: str | None,
    course: str | None,
    batch: str | None,
    whole_course: str | None,
    whole_batch: str | None,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Compute progress again from what is stored: of one enrolment (USER COURSE BATCH), or of a batch.

    A complete enrolment also asks for its certificate again. Exit status 1: there is no such enrolment or batch.
    """
    one, many = (user, course, batch), (whole_course, whole_batch)
    if all(many) and not any(one):
        name = "lern.reconcile_batch"
        arguments = {
            "course_id": text_id("course_id", whole_course),
            "batch_id": text_id("batch_id", whole_batch),
        }
    elif all(part is not None for part in one) and not any(many):
        name = "lern.reconcile_enrolment"
        arguments = _key(*one)
    else:
        raise click.UsageError("give USER COURSE BATCH, or --course COURSE --batch BATCH")
    result = task_run.run(name, arguments, wait=not no_wait, as_json=as_json)
    if not as_json:
        say(result["message"])
    if not result["found"]:
        sys.exit(1)


def _key(user: str | None, course: str | None, batch: str | None) -> dict[str, str]:
    key = enrolment(user, course, batch)
    return {"user_id": key.user_id, "course_id": key.course_id, "batch_id": key.batch_id}
