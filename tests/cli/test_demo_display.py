import io

import pytest
from rich.console import Console

from lern_tasks.cli.demo_display import DemoDisplay
from lern_tasks.demo.scenario.run import Snapshot

TOTALS = {"events": 10, "certificates": 4}
HALF = Snapshot(doing="learners complete lessons", events=5, certificates=1, seconds=1.5)
ALL = Snapshot(doing="learners complete lessons", events=10, certificates=4, seconds=2.0)


def _shown(*snapshots: Snapshot, terminal: bool, quiet: bool = False) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=100, color_system=None)
    with DemoDisplay(console, TOTALS, quiet=quiet) as display:
        for snapshot in snapshots:
            display.show(snapshot)
        display.say("ending the processes", 3.0)
    return output.getvalue()


def test_bars_on_a_terminal_end_full() -> None:
    last = _shown(HALF, ALL, terminal=True).rpartition("events")[2]
    assert "10/10" in last
    assert "4/4" in last


def test_plain_lines_elsewhere_say_the_step_once_with_its_numbers() -> None:
    lines = _shown(HALF, ALL, terminal=False).splitlines()
    assert lines == [
        "   1.5 s  learners complete lessons (5 events, 1 certificates)",
        "   3.0 s  ending the processes",
    ]


def test_plain_lines_come_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lern_tasks.cli.demo_display._LINE_EVERY", -1.0)
    assert len(_shown(HALF, ALL, terminal=False).splitlines()) == 3


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_says_nothing(terminal: bool) -> None:
    assert _shown(HALF, ALL, terminal=terminal, quiet=True) == ""
