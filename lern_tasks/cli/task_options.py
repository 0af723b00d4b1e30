"""Options of the commands that send a task. See docs/administration.md, "Commands"."""

import click

no_wait = click.option("--no-wait", is_flag=True, help="Print the task's id and do not wait for its end.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
