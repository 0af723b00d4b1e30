"""How a command shows where it is: bars on a terminal, lines elsewhere. See docs/administration.md, "Commands"."""

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

from lern_tasks.cli.printing import printable


class LiveDisplay(Progress):
    """Bars while it is entered, and lines that stay; nothing at all when `quiet`.

    A bar is a text, the bar, what `columns` say, and the time. `line_every`: seconds between lines of no news.
    """

    def __init__(
        self, console: Console, text: str, *columns: ProgressColumn, line_every: float, quiet: bool = False
    ) -> None:
        bars = console.is_terminal and not quiet
        shown = (TextColumn(text), BarColumn(), *columns, TimeElapsedColumn())
        super().__init__(*shown, console=console, transient=True, disable=not bars)
        self.on_terminal = console.is_terminal
        self._quiet = quiet
        self._line_every = line_every
        self._next_line = time.monotonic() + line_every

    @property
    def line_due(self) -> bool:
        """Whether the last line is so old that a log should get another, to show that it goes on."""
        return not self.on_terminal and time.monotonic() >= self._next_line

    def line(self, text: str) -> None:
        """Print a line that stays."""
        self._next_line = time.monotonic() + self._line_every
        if not self._quiet:
            self.console.print(printable(text), markup=False)
