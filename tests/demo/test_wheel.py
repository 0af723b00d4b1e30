"""The wheel in an environment of its own: bridge, worker, beat and demo start from an empty directory."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 280


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a virtual environment into which the wheel, and nothing of this one, is installed."""
    directory = tmp_path_factory.mktemp("wheel")
    venv = directory / "venv"
    for command in (
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(directory / "dist"), str(_copy(directory))],
        [sys.executable, "-m", "venv", str(venv)],
        [
            str(venv / "bin" / "pip"),
            "install",
            "--quiet",
            "--no-compile",
            "--find-links",
            str(directory / "dist"),
            "lern-tasks==0.1.0",
        ],
    ):
        run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        if run.returncode != 0:
            needed = os.environ.get("LERN_TEST_REQUIRE") == "all"
            (pytest.fail if needed else pytest.skip)(f"{' '.join(command)}: {(run.stdout + run.stderr)[-2000:]}")
    return venv


def test_the_demo_runs_from_an_empty_directory(environment: Path, tmp_path: Path) -> None:
    temporary, empty = tmp_path / "temporary", tmp_path / "empty"
    temporary.mkdir()
    empty.mkdir()
    run = subprocess.run(
        [str(environment / "bin" / "lern"), "demo", "--learners", "5", "--json"],
        cwd=empty,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert len(result["certificates"]) == 4 + 1 + 6
    assert {"bridge", "worker", "beat"} <= {process["name"] for process in result["processes"]}
    assert list(empty.iterdir()) == []


def test_it_is_the_wheel_that_runs(environment: Path, tmp_path: Path) -> None:
    code = "import bridge, celeryconfig, lern_tasks; print(lern_tasks.__file__, bridge.__file__, celeryconfig.__file__)"
    run = subprocess.run(
        [str(environment / "bin" / "python"), "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert all(path.startswith(str(environment)) for path in run.stdout.split())


def _copy(directory: Path) -> Path:
    """The sources in a directory of their own: a build in the checkout would leave its own directories there."""
    target = directory / "source"
    target.mkdir()
    for name in ("lern_tasks", "bridge"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "celeryconfig.py"):
        shutil.copy(ROOT / name, target)
    return target
