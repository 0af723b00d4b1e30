"""The options by which dead letters are chosen. See docs/operations.md, "When something fails"."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import click

from lern_tasks import catalogue
from lern_tasks.cli.dead_letters.stored import Criteria

Command = Callable[..., None]

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

_JOBS = (*catalogue.JOBS, "maintenance")
"""Jobs that write dead letters; `maintenance` for messages that no task takes."""


class Moment(click.ParamType[datetime]):
    """A point in time: ISO 8601 (UTC unless it says otherwise), or how long ago, as in 90m, 12h, 7d."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The aware datetime."""
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        if text[:-1].isdecimal() and text[-1:] in _UNITS:
            return datetime.now(UTC) - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{value!r} is neither a time as 2024-02-29T10:00:00Z nor an age as 90m, 12h or 7d", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def filters(function: Command) -> Command:
    """Options that restrict dead letters; the command gets them as one `criteria`, and `limit`."""

    @wraps(function)
    def command(*, jobs: tuple[str, ...], since: datetime | None, coordinates: Any = (), **others: Any) -> None:
        since_ms = None if since is None else int(since.timestamp() * 1000)
        texts = {name: others.pop(name) for name in ("error", "user", "course", "batch")}
        function(criteria=Criteria(jobs=_known(jobs), since_ms=since_ms, coordinates=coordinates, **texts), **others)

    for option in (
        click.option("--limit", type=click.IntRange(1), help="Only the first so many."),
        click.option("--since", type=Moment(), help="Only what failed after a time, or in the last 90m, 12h, 7d."),
        click.option("--batch", default="", help="Only dead letters about this batch."),
        click.option("--course", default="", help="Only dead letters about this course."),
        click.option("--user", default="", help="Only dead letters about this user id."),
        click.option("--error", default="", help="Only this error code, or part of the error's text or class."),
        click.option("--job", "jobs", multiple=True, help="Only dead letters of this job; may be repeated."),
    ):
        command = option(command)
    return command


def from_directory(function: Command) -> Command:
    """The option that reads dead letters from a directory instead of Kafka."""
    return click.option(
        "--from",
        "directory",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        help="A directory that `lern demo --keep` wrote, instead of Kafka.",
    )(function)


def as_json(function: Command) -> Command:
    """The option that prints JSON."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def _known(jobs: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(job.replace("-", "_") for job in jobs)
    for name in names:
        if name not in _JOBS:
            raise click.BadParameter(f"there is no job {name!r}; there are: {', '.join(_JOBS)}", param_hint="--job")
    return names
