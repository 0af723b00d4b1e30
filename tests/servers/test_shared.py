"""Several test processes: one server for all of them, ended with the run however that ends.

A Redis stands in for Kafka, since it starts in a tenth of a second: how long a start takes is all that differs here.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.waiting import wait_until
from tests.servers.plugin import required
from tests.servers.server import StackError, accepts
from tests.servers.shared import SharedServers, ask

pytestmark = [pytest.mark.stack, pytest.mark.skipif(not required(), reason="starts servers: set LERN_TEST_REQUIRE=all")]

_ROOT = Path(__file__).parents[2]
_PLUGINS = """
import signal
from tests.servers.redis import RedisServer
from tests.servers.running import KINDS
KINDS["kafka"] = RedisServer
signal.signal(signal.SIGTERM, signal.default_int_handler)
"""
_TEST = """
import os, pathlib, threading
def test_one(kafka_server):
    pathlib.Path(f"{os.getpid()}.seen").write_text(kafka_server.address)
    assert not pathlib.Path("stay").exists() or threading.Event().wait(60)
"""


@contextmanager
def _run(directory: Path, processes: int) -> Iterator["subprocess.Popen[str]"]:
    """The same test in each of so many test processes."""
    (directory / "pytest.ini").write_text("[pytest]\n")
    (directory / "conftest.py").write_text(_PLUGINS)
    (directory / "test_one.py").write_text(_TEST)
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "tests.servers.plugin", "-p", "no:cacheprovider"]
    command += ["--dist", "each", "--numprocesses", str(processes)]
    environment = os.environ | {"LERN_TEST_REQUIRE": "all", "PYTHONPATH": str(_ROOT), "TMPDIR": str(directory)}
    # The other plugins take three quarters of such a run.
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    process = subprocess.Popen(
        command, cwd=directory, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _seen(directory: Path) -> list[str]:
    """The address that each test process was given."""
    return [path.read_text() for path in directory.glob("*.seen")]


def _runs(address: str) -> bool:
    return accepts(int(address.rpartition(":")[2]))


def _data(directory: Path) -> list[Path]:
    return list(directory.glob("lern-stack-*"))


def test_all_processes_of_a_run_have_the_same_server_and_it_ends_with_them(tmp_path: Path) -> None:
    with _run(tmp_path, 2) as run:
        printed, _ = run.communicate(timeout=60)
    assert "2 passed" in printed
    first, second = _seen(tmp_path)
    assert first == second
    assert not _runs(first)
    assert _data(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_neither_server_nor_data(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "stay").touch()
    with _run(tmp_path, 1) as run:
        (address,) = wait_until(lambda: [seen for seen in _seen(tmp_path) if seen], seconds=60, what="a running test")
        assert _runs(address)
        # As a terminal sends Ctrl-C: to all processes of the run.
        os.killpg(run.pid, number)
        run.communicate(timeout=60)
    wait_until(lambda: not _runs(address), seconds=30, what="the server is gone")
    wait_until(lambda: not _data(tmp_path), seconds=30, what="its directory is gone")


def test_a_server_that_cannot_be_had_is_told_to_the_process_that_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    shared = SharedServers()
    try:
        with pytest.raises(StackError, match="install Debian's package redis-server"):
            ask(shared.port, "redis")
    finally:
        shared.close()
