"""`lern settings`: effective values, beside the documented keys that they replace. See docs/configuration.md."""

import click

from lern_tasks import settings
from lern_tasks.cli.effective import Effective, effective, scopes
from lern_tasks.cli.printing import print_json, print_table


@click.command("settings")
@click.argument("scope", required=False)
@click.option("--changed", is_flag=True, help="Only what differs from its default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(scope: str | None, changed: bool, as_json: bool) -> None:
    """Every setting: its value, and the documented key that it replaces.

    SCOPE is a job or a group of settings, such as activity-aggregate-updater or kafka. Secrets are masked.
    """
    rows = [row for row in effective(settings.load()) if not changed or row.changed]
    if scope is not None:
        rows = [row for row in rows if row.scope == _known(scope)]
    if as_json:
        print_json([row.as_dict() for row in rows])
        return
    print_table(("variable", "value", "replaces", "meaning"), [_cells(row) for row in rows])


def _known(scope: str) -> str:
    name = scope.lower().replace("-", "_")
    if name not in scopes():
        raise click.BadParameter(f"there is no {scope!r}; there are: {', '.join(scopes())}", param_hint="SCOPE")
    return name


def _cells(row: Effective) -> tuple[str, str, str, str]:
    return row.variable, row.shown, ", ".join(row.documented), row.note
