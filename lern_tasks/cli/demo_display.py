"""How `lern demo` shows where it is: bars on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lern_tasks.embedded.demo import Snapshot

_LINE_EVERY = 2.0
"""Seconds between two plain lines: enough for a log to show that it goes on."""


class DemoDisplay:
    """Shows snapshots on `console`. `totals`: what each number of a snapshot is going to be."""

    def __init__(self, console: Console, totals: dict[str, int]) -> None:
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
            disable=not console.is_terminal,
        )
        self._bars = {name: self._progress.add_task(name.replace("_", " "), total=n) for name, n in totals.items()}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, snapshot: Snapshot) -> None:
        """Show how far the demo is."""
        for name, bar in self._bars.items():
            self._progress.update(bar, completed=getattr(snapshot, name))
        new = snapshot.doing != self._doing
        if not new and (self._console.is_terminal or time.monotonic() < self._next_line):
            return
        self._doing, self._next_line = snapshot.doing, time.monotonic() + _LINE_EVERY
        numbers = ", ".join(f"{getattr(snapshot, name)} {name.replace('_', ' ')}" for name in self._totals)
        details = "" if self._console.is_terminal or not snapshot.events else f" ({numbers})"
        self._console.print(f"{snapshot.seconds:6.1f} s  {snapshot.doing}{details}", markup=False)
