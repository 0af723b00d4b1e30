"""How `lern demo` shows where it is."""

from rich.console import Console
from rich.progress import MofNCompleteColumn

from lern_tasks.cli.live import LiveDisplay
from lern_tasks.demo.scenario.run import Snapshot

_LINE_EVERY = 2.0
"""Seconds between lines of no news: the demo takes a minute."""


class DemoDisplay(LiveDisplay):
    """A bar for each number of a snapshot. `totals`: what each is going to be."""

    def __init__(self, console: Console, totals: dict[str, int], *, quiet: bool) -> None:
        super().__init__(console, "{task.description:<22}", MofNCompleteColumn(), line_every=_LINE_EVERY, quiet=quiet)
        self._doing = ""
        self._bars = {name: self.add_task(name.replace("_", " "), total=number) for name, number in totals.items()}

    def say(self, doing: str, seconds: float) -> None:
        """Say what is being done now, `seconds` after the start; the bars stay as they are."""
        self.line(f"{seconds:6.1f} s  {doing}")

    def show(self, snapshot: Snapshot) -> None:
        """Show how far the demo is."""
        for name, bar in self._bars.items():
            self.update(bar, completed=getattr(snapshot, name))
        if snapshot.doing != self._doing or self.line_due:
            self._doing = doing = snapshot.doing
            if snapshot.events and not self.on_terminal:
                numbers = (f"{getattr(snapshot, name)} {name.replace('_', ' ')}" for name in self._bars)
                doing += f" ({', '.join(numbers)})"
            self.say(doing, snapshot.seconds)
