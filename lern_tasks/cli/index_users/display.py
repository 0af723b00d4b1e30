"""How `lern index-users` shows where it is, and what it did."""

import time
from types import TracebackType
from typing import Self

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from lern_tasks.cli.printing import print_json, print_table
from lern_tasks.delivery.resumable.checkpoints import Checkpoint
from lern_tasks.jobs.users.index.plan import IndexTally

_LINE_EVERY = 10.0
"""Seconds between two plain lines: a run of an hour is a few hundred lines of a log."""


class IndexDisplay:
    """A bar on a terminal, plain lines elsewhere. `before`: users that an interrupted run had read already."""

    def __init__(self, console: Console, before: int) -> None:
        self._console = console
        self._before = before
        self._start = self._line = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[users]:,} users, {task.fields[rate]:,.0f}/s"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task("indexing", total=1.0, users=before, rate=0.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, stand: Checkpoint) -> None:
        """Show how far the run is."""
        now = time.monotonic()
        users = int(stand.result["users"])
        rate = (users - self._before) / max(now - self._start, 0.001)
        if self._console.is_terminal:
            self._progress.update(self._bar, completed=stand.done, users=users, rate=rate)
        elif now - self._line >= _LINE_EVERY:
            self._line = now
            self._console.print(f"{stand.done:.0%}, {users:,} users, {rate:,.0f}/s", markup=False)


def print_result(tally: IndexTally, *, users: int, seconds: float, as_json: bool) -> None:
    """Print what a run did; it took `seconds` for the last `users` of its users."""
    if as_json:
        print_json({**msgspec.to_builtins(tally), "seconds": round(seconds, 1)})
        return
    rows = [(what, f"{number:,}") for what, number in _numbers(tally) if number]
    rate = users / max(seconds, 0.001)
    print_table(("", ""), [*rows, ("users a second", f"{rate:,.0f}")], title=_title(tally))
    for example in tally.examples:
        click.echo(example)


def _title(tally: IndexTally) -> str:
    if tally.anonymous:
        return "users without account"
    if tally.refresh:
        return "all users, refreshed"
    return f"users changed since {tally.since}" if tally.since else "all users"


def _numbers(tally: IndexTally) -> list[tuple[str, int]]:
    return [
        ("users read", tally.users),
        ("written", tally.written),
        ("not changed since", tally.not_due),
        ("written meanwhile by the stream job", tally.newer),
        ("indexed without a part of the profile", tally.unreadable),
        ("not indexed: another kind of key", tally.misplaced),
        ("rows whose id is not the user's: nothing removed", tally.other_ids),
        ("hashes looked at", tally.checked),
        ("hashes removed", tally.removed),
    ]
