"""Which Python the Makefile takes: `.ci/python`, which `.ci/venv` and `.ci/lock` ask."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def asked(path: str, python: str | None = None) -> "subprocess.CompletedProcess[str]":
    """What `.ci/python` says with this PATH and PYTHON."""
    named = {} if python is None else {"PYTHON": python}
    command = ["/bin/sh", str(ROOT / ".ci" / "python")]
    return subprocess.run(command, env={"PATH": path, **named}, capture_output=True, text=True, timeout=60, check=False)


def test_the_named_python_is_taken() -> None:
    assert asked("/usr/bin:/bin", sys.executable).stdout.strip() == sys.executable


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/sh"])
def test_a_named_one_that_does_not_do_is_refused(python: str) -> None:
    """Another one, found by chance, would hide the mistake."""
    answer = asked(str(Path(sys.executable).parent), python)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert f"PYTHON={python} is no Python 3.11 to 3.14" in answer.stderr


def test_without_a_name_the_first_that_does_is_taken(tmp_path: Path) -> None:
    (tmp_path / "python3.13").symlink_to("/bin/sh")
    (tmp_path / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "python3").chmod(0o755)
    assert asked(str(tmp_path)).stdout.strip() == "python3"


def test_without_any_python_it_says_what_to_do(tmp_path: Path) -> None:
    answer = asked(str(tmp_path))
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "make PYTHON=/path/to/python3.12" in answer.stderr
