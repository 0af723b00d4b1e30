"""`lern tables create|check`. See docs/operations.md, "Schema check"."""

import ast
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from lern_tasks import settings
from lern_tasks.catalogue import EVENT_JOBS
from lern_tasks.cli.printing import print_json, print_table, say
from lern_tasks.errors import SettingsError
from lern_tasks.settings import Settings
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.table_names import for_job, needed_tables, users_of_tables

if TYPE_CHECKING:
    from lern_tasks.storage.cassandra.own_tables import OwnTables

_EXAMPLE = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"


@click.group("tables")
def command() -> None:
    """Create the tables that are this project's own, or check them. The platform's tables are never touched."""


def _replication(ctx: click.Context, param: click.Parameter, value: str | None) -> Mapping[str, str] | None:
    """The options of a CQL map as text; refuses what is no map or names no class."""
    if value is None:
        return None
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        found = None
    if not isinstance(found, dict) or "class" not in found or not _all_simple(found):
        raise click.BadParameter(f"{value!r} is not a CQL map such as {_EXAMPLE}", ctx, param)
    return {option: str(of) for option, of in found.items()}


def _all_simple(found: Mapping[object, object]) -> bool:
    return all(isinstance(option, str) and isinstance(of, str | int) for option, of in found.items())


@command.command("create")
@click.option(
    "--replication",
    metavar="MAP",
    callback=_replication,
    help=f"Copies of a new keyspace, e.g. {_EXAMPLE}; without it as the platform's keyspace of courses has it.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be created.")
def create(replication: Mapping[str, str] | None, dry_run: bool) -> None:
    """Create the missing tables, and their keyspace if need be. What is there is left as it is."""
    values = settings.load()
    with _opened(values) as (tables, own):
        missing = [table for table in tables if not own.is_there(table)]
        if not missing:
            say("All tables are there.")
        for table in missing:
            new = None if own.replication(table.keyspace) else replication or _copied(table, values, own)
            if not dry_run:
                own.create(table, new)
            keyspace = f" in a new keyspace with the replication {dict(new)}" if new else ""
            say(f"{'Would create' if dry_run else 'Created'} {table.full_name}{keyspace}")


@command.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(as_json: bool) -> None:
    """Say which tables are missing or differ. Exit status 1 if there are any."""
    values = settings.load()
    with _opened(values) as (tables, own):
        judged = [judgement for table in tables for judgement in _judged(table, own)]
    if as_json:
        print_json([asdict(judgement) for judgement in judged])
    elif judged:
        cells = [(judgement.table, judgement.result, judgement.to_do) for judgement in judged]
        print_table(("table", "result", "what to do"), cells)
    if not all(judgement.ok for judgement in judged):
        sys.exit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether a table is as it must be, what is the case, and what to type."""

    table: str
    ok: bool
    result: str
    to_do: str = ""


def _judged(table: Table, own: "OwnTables") -> list[Judgement]:
    found = own.differences(table)
    if not found:
        return [Judgement(table=table.full_name, ok=True, result="as the jobs need it")]
    parts = [difference.partition(": ") for difference in found]
    return [Judgement(table=table.full_name, ok=False, result=result, to_do=to_do) for result, _, to_do in parts]


@contextmanager
def _opened(values: Settings) -> "Iterator[tuple[list[Table], OwnTables]]":
    if values.store.startswith("sqlite:"):
        raise SettingsError(f"LERN_STORE is {values.store}: a SQLite store needs no tables to be created")
    from lern_tasks.storage.cassandra.own_tables import opened  # noqa: PLC0415 (the driver takes 0.3 s to import)

    with opened(values) as own:
        yield [table for table in needed_tables(values) if table.ours], own


def _copied(table: Table, values: Settings, own: "OwnTables") -> Mapping[str, str]:
    """As the rows that the table is about: those of the job that uses it."""
    job = users_of_tables(values, EVENT_JOBS)[table][0]
    keyspace = for_job(values, job).enrolments.keyspace
    found = own.replication(keyspace)
    if found is None:
        raise SettingsError(
            f'there is no keyspace {keyspace} to copy the replication from: give --replication "{_EXAMPLE}", '
            f"or correct LERN_{job.upper()}__LMS_CASSANDRA_KEYSPACE"
        )
    return found
