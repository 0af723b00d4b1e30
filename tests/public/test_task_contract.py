"""Names, arguments and queues of tasks are a contract: messages in flight carry them, also across an update."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_task_changed() -> None:
    """A process of its own: it imports every task, with the settings of an installation that has set nothing."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LERN_")}
    command = [sys.executable, "-m", "tests.public.task_contract"]
    printed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert printed.stdout == Path(__file__).with_name("task_contract.txt").read_text(), (
        "a renamed task, argument or queue strands messages in flight; a new one: "
        "python -m tests.public.task_contract > tests/public/task_contract.txt"
    )
