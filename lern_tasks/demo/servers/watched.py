"""Runs a module as `python -m` does, and ends it and its children with the process that started it.

`python -m lern_tasks.demo.servers.watched --parent-pid PID MODULE [ARGUMENT ...]`. For programs that are not embedded
(bridge, worker, beat): they themselves outlive whoever starts them, as an installation wants. See
docs/architecture.md, section "Embedded".
"""

import os
import runpy
import signal
import sys
import threading

# As the embedded services: nothing is left when a person has looked twice.
_POLL_SECONDS = 0.2


def main() -> None:
    """Watch, and run the module in this process."""
    parent_pid, module, arguments = int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    threading.Thread(target=_end_with, args=(parent_pid,), name="watch-parent", daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with(parent_pid: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent_pid:
        pause.wait(_POLL_SECONDS)
    # A worker's pool does not notice the death of its main process while a task runs: the whole group goes.
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main()
