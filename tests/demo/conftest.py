"""Child processes and services for the tests of the embedded stack."""

import json
import select
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest

from lern_tasks.demo.platform.platform_api import PlatformApi
from lern_tasks.demo.platform.registry import Registry

# A child imports and binds within a second; on a loaded machine it may take several.
START_SECONDS = 30.0
StartChild = Callable[..., tuple["subprocess.Popen[str]", dict[str, str]]]


def read_report(process: "subprocess.Popen[str]") -> dict[str, str]:
    """The one JSON line that a child writes."""
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    assert readable, "the child reported no address in time"
    report = json.loads(process.stdout.readline())
    assert isinstance(report, dict)
    return report


@pytest.fixture
def start_child() -> Iterator[StartChild]:
    """Starts `python -m lern_tasks.demo.<name>`; ends it after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str, *arguments: str) -> tuple["subprocess.Popen[str]", dict[str, str]]:
        # The soft limit of macOS: the stack has to work with it.
        command = 'ulimit -n 256; exec "$0" "$@"'
        process = subprocess.Popen(
            ["/bin/sh", "-c", command, sys.executable, "-m", f"lern_tasks.demo.{name}", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process, read_report(process)

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as running:
        yield running


@pytest.fixture
def platform() -> Iterator[PlatformApi]:
    with PlatformApi() as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    # A proxy in the environment must not stand between a test and its own machine.
    with httpx.Client(trust_env=False, timeout=10) as opened:
        yield opened
