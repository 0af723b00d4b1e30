"""`lern reissue`: the certificates of one enrolment, or of a merged account, again.

See docs/administration.md, "Issuing".
"""

import sys
from collections.abc import Mapping
from typing import Any

import click

from lern_tasks.cli import task_options, task_run
from lern_tasks.cli.printing import print_table, say
from lern_tasks.operations.arguments import enrolment, text_id


@click.command("reissue")
@click.argument("user")
@click.argument("course", required=False)
@click.argument("batch", required=False)
@click.option("--merged-from", metavar="OLD", help="All that USER has from the account OLD, which was merged into it.")
@task_options.no_wait
@task_options.as_json
def command(
    *, user: str, course: str | None, batch: str | None, merged_from: str | None, no_wait: bool, as_json: bool
) -> None:
    """Issue the certificates of an enrolment again, each in the place of the one that there is.

    With --merged-from: those of all enrolments that still name the account which was merged into USER. Exit status 1:
    nothing could be issued, or a template is wrong.
    """
    if merged_from is not None and course is None:
        arguments = {"user_id": text_id("user_id", user), "merged_from": text_id("merged_from", merged_from)}
        result = task_run.run("lern.reissue_merged", arguments, wait=not no_wait, as_json=as_json)
        _end(result, result["certificates"], "asked", as_json=as_json)
    elif merged_from is None and batch is not None:
        key = enrolment(user, course, batch)
        arguments = {"user_id": key.user_id, "course_id": key.course_id, "batch_id": key.batch_id}
        result = task_run.run("lern.reissue_certificate", arguments, wait=not no_wait, as_json=as_json)
        _end(result, result["templates"], "earned", as_json=as_json)
    else:
        raise click.UsageError("give USER COURSE BATCH, or USER --merged-from OLD")


def _end(result: Mapping[str, Any], found: list[Mapping[str, Any]], asked: str, *, as_json: bool) -> None:
    """Show what became of each certificate, and end with 1 unless all is well."""
    if not as_json:
        rows = [
            (
                one.get("template_id") or f"{one['course_id']} {one['batch_id']}",
                one["name"],
                "asked for" if one[asked] else "not issued",
                one["replaces"],
            )
            for one in found
        ]
        if rows:
            print_table(("template" if asked == "earned" else "course and batch", "certificate", "", "replaces"), rows)
        say(result["message"])
    if not any(one[asked] for one in found) or any(one.get("broken") for one in found):
        sys.exit(1)
