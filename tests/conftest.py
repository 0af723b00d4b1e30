"""Fixtures and profiles of all tests."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.harness.size import VARIABLE

TESTS = Path(__file__).parent

pytest_plugins = ["tests.servers.plugin", "tests.harness.fixtures"]

# A busy machine is slow, which says nothing about the code; the time limit of each test is the bound.
settings.register_profile("lern", deadline=None)
# Another Python shows other faults than another example does.
settings.register_profile("portable", deadline=None, max_examples=10)
settings.load_profile("lern")


def pytest_configure() -> None:
    """Refuse a misspelt size: it would leave tests out silently.

    A time limit from outside (SIGTERM) ends as Ctrl-C does: with the failures until then, and every server ended.
    """
    if os.environ.get(VARIABLE, "") not in {"", "full"}:
        raise pytest.UsageError(f"{VARIABLE} must be `full` or unset, not {os.environ[VARIABLE]!r}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first, after the shuffling: with several processes no long file is left over at the end.

    What only computes may open no socket: such a test would depend on more than its values.
    """
    items.sort(key=lambda item: "slow" not in item.keywords)
    for item in items:
        if only_computes(item.path):
            item.add_marker(pytest.mark.disable_socket)


def only_computes(path: Path) -> bool:
    """Whether a file tests rules, events, or what they read: no server, no HTTP but answers of the test's own."""
    folders = path.relative_to(TESTS).parts[:-1]
    return folders[:1] == ("sunbird",) or (folders[:1] == ("jobs",) and ("rules" in folders or "event" in path.stem))
