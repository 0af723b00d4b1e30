"""A child process: reports its address, serves, ends with its parent. See docs/architecture.md, section "Embedded"."""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import NoReturn

# Short enough that nothing is left when a person has looked twice, long enough to cost nothing.
_POLL_SECONDS = 0.2
# A signal that another thread received is seen by the main thread at its next turn.
_TURN_SECONDS = 0.5


def add_parent_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--parent-pid`, which closes the gap between the start of a child and its first look at its parent."""
    parser.add_argument("--parent-pid", type=int, default=None, help="end when this is no longer the parent process")


def watch_parent(parent_pid: int | None = None) -> None:
    """End this process, without clean-up, as soon as the process that started it is gone, however it ended.

    It polls the parent's id on a thread, which works on Linux and macOS alike: a process whose parent died gets
    another one.

    Args:
        parent_pid: the parent, if it told its id; otherwise the parent at the time of this call.
    """
    expected = os.getppid() if parent_pid is None else parent_pid
    threading.Thread(target=_end_with, args=(expected,), name="watch-parent", daemon=True).start()


def _end_with(parent_pid: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent_pid:
        pause.wait(_POLL_SECONDS)
    os._exit(0)


def end_quietly_on_signals() -> None:
    """Let SIGTERM and SIGINT end this process with exit code 0 and no traceback; clean-up in `finally` still runs."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    # A second signal must not interrupt the clean-up that the first one started.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(0)


def serve_until_stopped(address: Mapping[str, str], close: Callable[[], None]) -> NoReturn:
    """Report the address as one JSON line on standard output, then wait for a signal.

    Args:
        address: what clients need, for example `{"url": "http://127.0.0.1:41233"}`.
        close: frees what was opened; runs once, also when nobody reads the report any more.

    Raises:
        SystemExit: always; 0 after a signal, 1 if standard output is closed.
    """
    try:
        _report(address)
        turn = threading.Event()
        while True:
            turn.wait(_TURN_SECONDS)
    finally:
        close()


def _report(address: Mapping[str, str]) -> None:
    try:
        sys.stdout.write(json.dumps(address) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes again when it ends and would complain a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
