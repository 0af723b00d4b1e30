"""Tests of what only computes open no socket: see `only_computes` in tests/conftest.py."""

import socket
from pathlib import Path

import pytest
from pytest_socket import SocketBlockedError

from tests.conftest import TESTS, only_computes


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_no_socket_can_be_opened_here() -> None:
    with pytest.raises(SocketBlockedError):
        socket.socket()


@pytest.mark.parametrize(
    ("path", "computes"),
    [
        ("jobs/progress/rules/test_decision.py", True),
        ("jobs/progress/test_events.py", True),
        ("jobs/certificates/issuing/test_event_formats.py", True),
        ("sunbird/test_json_text.py", True),
        ("jobs/progress/test_activity_aggregate_updater.py", False),
        ("storage/test_gateway.py", False),
    ],
)
def test_which_files_only_compute(path: str, computes: bool) -> None:
    assert (TESTS / path).is_file()
    assert only_computes(Path(TESTS / path)) is computes
