"""Removes a directory when the process that started it was killed. See docs/architecture.md, section "Embedded".

`python -m lern_tasks.demo.servers.janitor --parent-pid PID DIRECTORY`. Who ends in order removes its directory itself.
"""

import argparse
import os
import shutil
import threading
from pathlib import Path

from lern_tasks.demo.servers.parent import add_parent_argument, end_quietly_on_signals

_POLL_SECONDS = 0.2
# The other children end within their own poll; until then they may still create a file.
_GONE_LOOKS = 5
# A directory that cannot be removed (another user's file in it) is left after this many looks.
_TRIES = 25


def main() -> None:
    """Wait for the parent's death, or for a signal that says there is nothing to do."""
    parser = argparse.ArgumentParser(prog="python -m lern_tasks.demo.servers.janitor", description=__doc__)
    parser.add_argument("directory", type=Path)
    add_parent_argument(parser)
    options = parser.parse_args()
    end_quietly_on_signals()
    pause = threading.Event()
    while os.getppid() == options.parent_pid:
        pause.wait(_POLL_SECONDS)
    gone = 0
    for _ in range(_TRIES):
        shutil.rmtree(options.directory, ignore_errors=True)
        pause.wait(_POLL_SECONDS)
        gone = 0 if options.directory.exists() else gone + 1
        if gone == _GONE_LOOKS:
            return


if __name__ == "__main__":
    main()
