"""How `lern index-users` shows where it is, and what it did."""

import time

import msgspec
from rich.console import Console
from rich.progress import TaskProgressColumn, TextColumn

from lern_tasks.cli.live import LiveDisplay
from lern_tasks.cli.printing import print_json, print_table, say
from lern_tasks.delivery.resumable.checkpoints import Checkpoint
from lern_tasks.jobs.users.api import IndexTally

_LINE_EVERY = 10.0
"""Seconds between two lines: a run of an hour is a few hundred lines of a log."""

_SPEED = TextColumn("{task.fields[users]:,} users, {task.fields[rate]:,.0f}/s")


class IndexDisplay(LiveDisplay):
    """One bar, and how many users. `before`: users that an interrupted run had read already."""

    def __init__(self, console: Console, before: int) -> None:
        super().__init__(console, "{task.description}", TaskProgressColumn(), _SPEED, line_every=_LINE_EVERY)
        self._before = before
        self._start = time.monotonic()
        self._bar = self.add_task("indexing", total=1.0, users=before, rate=0.0)

    def show(self, checkpoint: Checkpoint) -> None:
        """Show how far the run is."""
        users = int(checkpoint.result["users"])
        rate = (users - self._before) / max(time.monotonic() - self._start, 0.001)
        self.update(self._bar, completed=checkpoint.done, users=users, rate=rate)
        if self.line_due:
            self.line(f"{checkpoint.done:.0%}, {users:,} users, {rate:,.0f}/s")


def print_result(tally: IndexTally, *, users: int, seconds: float, as_json: bool) -> None:
    """Print what a run did; it took `seconds` for the last `users` of its users."""
    if as_json:
        print_json({**msgspec.to_builtins(tally), "seconds": round(seconds, 1)})
        return
    rows = [(what, f"{number:,}") for what, number in _numbers(tally) if number]
    rate = users / max(seconds, 0.001)
    print_table(("", ""), [*rows, ("users a second", f"{rate:,.0f}")], title=_title(tally))
    for example in tally.examples:
        say(example)


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
