"""A demo that is interrupted leaves nothing behind, whenever it happens."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.demo.running import SECONDS, assert_nothing_left, finish, processes_of, start
from tests.harness.size import only_full
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes in /proc")]

MOMENTS = (
    pytest.param("starting Kafka", marks=only_full),
    pytest.param("publishing", marks=only_full),
    pytest.param("complete lessons", marks=only_full),
    "bridge and worker",
    pytest.param("saving", marks=only_full),
)


def _wait_for(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"the demo ended before {text!r}: {process.stderr.read() if process.stderr else ''}")


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_leaves_nothing(tmp_path: Path, moment: str) -> None:
    process = start("--learners", "60", temporary=tmp_path)
    _wait_for(process, moment)
    process.send_signal(signal.SIGINT)
    _, errors = finish(process)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert_nothing_left(tmp_path)


def test_ctrl_c_while_the_first_process_starts_leaves_nothing(tmp_path: Path) -> None:
    process = start(temporary=tmp_path)
    wait_until(lambda: len(processes_of(tmp_path)) > 1, seconds=SECONDS, what="the demo has a child")
    process.send_signal(signal.SIGINT)
    finish(process)
    assert process.returncode == 130
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=only_full)])
def test_other_signals_end_it_too(tmp_path: Path, number: signal.Signals) -> None:
    process = start(temporary=tmp_path)
    _wait_for(process, "complete lessons")
    process.send_signal(number)
    finish(process)
    assert process.returncode == 128 + number
    assert_nothing_left(tmp_path)


def test_an_impatient_second_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    process = start(temporary=tmp_path)
    _wait_for(process, "complete lessons")
    for _ in range(3):
        process.send_signal(signal.SIGINT)
    finish(process)
    assert process.returncode == 130
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize("moment", ["starting Kafka", pytest.param("bridge and worker", marks=only_full)])
def test_a_killed_demo_leaves_nothing(tmp_path: Path, moment: str) -> None:
    process = start("--learners", "60", temporary=tmp_path)
    _wait_for(process, moment)
    wait_until(lambda: len(processes_of(tmp_path)) > 1, seconds=SECONDS, what="the demo has a child")
    process.kill()
    process.communicate()
    assert_nothing_left(tmp_path)


def test_a_closed_output_ends_it(tmp_path: Path) -> None:
    process = start(temporary=tmp_path)
    _wait_for(process, "starting Kafka")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(SECONDS) != 0
    assert_nothing_left(tmp_path)
    assert process.stderr is not None
    with process.stderr as errors:
        assert "Traceback" not in errors.read()


@only_full
def test_two_demos_at_once_with_different_start_methods(tmp_path: Path) -> None:
    directories = [tmp_path / "fork", tmp_path / "spawn"]
    demos = []
    for directory in directories:
        directory.mkdir()
        demos.append(start("--learners", "10", "--json", "--start-method", directory.name, temporary=directory))
    wait_until(
        lambda: any("billiard.spawn" in line for line in processes_of(directories[1])),
        seconds=SECONDS,
        what="the pool of the second demo is spawned",
    )
    for demo, directory in zip(demos, directories, strict=True):
        output, errors = finish(demo)
        assert demo.returncode == 0, errors
        assert len(json.loads(output)["certificates"]) == 8 + 2 + 6
        assert processes_of(directory) == []


def test_a_directory_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    process = start("--keep", str(tmp_path), temporary=tmp_path)
    _, errors = finish(process)
    assert process.returncode == 2
    assert "not empty" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
