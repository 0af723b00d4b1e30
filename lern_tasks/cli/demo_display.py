"""How `lern demo` shows where it is: bars on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lern_tasks.demo.scenario.run import Snapshot

_LINE_EVERY = 2.0
"""Seconds between two plain lines: enough for a log to show that it goes on."""


class DemoDisplay:
    """Shows snapshots on `console`; nothing at all when `quiet`. `totals`: what each number is going to be."""

    def __init__(self, console: Console, totals: dict[str, int], *, quiet: bool) -> None:
        console.quiet = quiet
        self._console = console
        self._totals = totals
        self._doing = ""
        self._next_line = 0.0
        self._progress = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._bars = {name: self._progress.add_task(name.replace("_", " "), total=n) for name, n in totals.items()}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, doing: str, seconds: float) -> None:
        """Say what is being done now, `seconds` after the start; the bars stay as they are."""
        self._doing, self._next_line = doing, time.monotonic() + _LINE_EVERY
        self._console.print(f"{seconds:6.1f} s  {doing}", markup=False)

    def show(self, snapshot: Snapshot) -> None:
        """Show how far the demo is."""
        for name, bar in self._bars.items():
            self._progress.update(bar, completed=getattr(snapshot, name))
        if self._console.is_terminal:
            if snapshot.doing != self._doing:
                self.say(snapshot.doing, snapshot.seconds)
        elif snapshot.doing != self._doing or time.monotonic() > self._next_line:
            numbers = ", ".join(f"{getattr(snapshot, name)} {name.replace('_', ' ')}" for name in self._totals)
            self.say(f"{snapshot.doing} ({numbers})" if snapshot.events else snapshot.doing, snapshot.seconds)
            self._doing = snapshot.doing
