"""How far a long task is: a bar on a terminal, plain lines elsewhere. See docs/administration.md, "Commands"."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

_LINE_EVERY = 5.0
"""Seconds between two plain lines: enough for a log to show that it goes on."""


class RunDisplay:
    """Shows how far a task is on `console`; nothing at all when `quiet`."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._said = ""
        self._next_line = 0.0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._bar = self._progress.add_task("", total=1.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, doing: str, done: float) -> None:
        """Say what is being done, and how much of it is, from 0 to 1."""
        self._progress.update(self._bar, description=escape(doing), completed=done)
        if self._quiet or self._console.is_terminal:
            return
        if doing != self._said or time.monotonic() > self._next_line:
            self._said, self._next_line = doing, time.monotonic() + _LINE_EVERY
            self._console.print(f"{doing}: {done:.0%}", markup=False)
