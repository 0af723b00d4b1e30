"""`lern reissue`: the certificates of one enrolment again. See docs/administration.md, "Issuing"."""

import sys

import click

from lern_tasks.cli import task_options, task_run
from lern_tasks.cli.printing import print_table, say
from lern_tasks.operations.arguments import enrolment


@click.command("reissue")
@click.argument("user")
@click.argument("course")
@click.argument("batch")
@task_options.no_wait
@task_options.as_json
def command(*, user: str, course: str, batch: str, no_wait: bool, as_json: bool) -> None:
    """Issue the certificates of an enrolment again, each in the place of the one that there is.

    Exit status 1: nothing could be issued, or a template is wrong.
    """
    key = enrolment(user, course, batch)
    arguments = {"user_id": key.user_id, "course_id": key.course_id, "batch_id": key.batch_id}
    result = task_run.run("lern.reissue_certificate", arguments, wait=not no_wait, as_json=as_json)
    templates = result["templates"]
    if not as_json:
        if templates:
            rows = [
                (one["template_id"], one["name"], "asked for" if one["earned"] else "not issued", one["replaces"])
                for one in templates
            ]
            print_table(("template", "certificate", "", "replaces"), rows)
        say(result["message"])
    if not any(one["earned"] for one in templates) or any(one["broken"] for one in templates):
        sys.exit(1)
