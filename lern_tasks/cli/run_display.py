"""How the commands that send a task show how far it is. See docs/administration.md, "Commands"."""

from rich.console import Console
from rich.markup import escape
from rich.progress import TaskProgressColumn

from lern_tasks.cli.live import LiveDisplay
from lern_tasks.cli.printing import printable

_LINE_EVERY = 5.0
"""Seconds between lines of no news: most tasks take less."""


class RunDisplay(LiveDisplay):
    """One bar, and what is being done."""

    def __init__(self, console: Console, *, quiet: bool) -> None:
        super().__init__(console, "{task.description}", TaskProgressColumn(), line_every=_LINE_EVERY, quiet=quiet)
        self._doing = ""
        self._bar = self.add_task("", total=1.0)

    def show(self, doing: str, done: float) -> None:
        """Say what is being done, and how much of it is, from 0 to 1."""
        self.update(self._bar, description=escape(printable(doing)), completed=done)
        begins, self._doing = doing != self._doing, doing
        if self.line_due or (begins and not self.on_terminal):
            self.line(f"{doing}: {done:.0%}")
