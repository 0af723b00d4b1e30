"""The wheel beside another Celery application: bridge, worker, beat and demo start from an empty directory."""

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
BARE = {"PATH": "/usr/bin:/bin"}

SHOP = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "shop"
version = "1"

[tool.setuptools]
py-modules = ["shop", "celeryconfig"]
""",
    "shop.py": """
from celery import Celery

app = Celery("shop")
app.config_from_object("celeryconfig")

@app.task
def price(apples):
    return 3 * apples
""",
    "celeryconfig.py": """
broker_url = "filesystem://"
broker_transport_options = dict.fromkeys(("data_folder_in", "data_folder_out"), ".")
result_backend = "file://."
task_default_queue = "shop"
worker_pool = "solo"
imports = ["shop"]
""",
}
"""Another Celery application, with its configuration where Celery's introduction puts it."""


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
            str(_shop(directory)),
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
        env={**BARE, "TMPDIR": str(temporary)},
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
    code = "import bridge, lern_tasks; print(lern_tasks.__file__, bridge.__file__)"
    assert all(path.startswith(str(environment)) for path in _python(environment, tmp_path, code).split())


def test_it_installs_nothing_into_the_way_of_others(environment: Path, tmp_path: Path) -> None:
    code = "import importlib.metadata as m, json; print(json.dumps([str(f) for f in m.files('lern-tasks')]))"
    files = json.loads(_python(environment, tmp_path, code))
    assert "lern_tasks/celeryconfig.py" in files
    assert {name.partition("/")[0] for name in files if not name.endswith("/bin/lern")} == {
        "lern_tasks",
        "bridge",
        "lern_tasks-0.1.0.dist-info",
    }


def test_each_of_two_applications_has_its_own_configuration(environment: Path, tmp_path: Path) -> None:
    code = """
from celery.app.utils import find_app
for name in ("shop", "lern_tasks"):
    conf = find_app(name).conf
    print(conf.broker_url, conf.task_default_queue, conf.task_acks_late)
"""
    assert _python(environment, tmp_path, code).splitlines() == [
        "filesystem:// shop False",
        "redis://localhost:6379/0 maintenance True",
    ]


def test_the_other_application_works(environment: Path, tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [str(environment / "bin" / "celery"), "-A", "shop", "worker"],
        cwd=tmp_path,
        env=BARE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert _python(environment, tmp_path, "import shop; print(shop.price.delay(4).get(timeout=60))") == "12\n"
    finally:
        worker.kill()
        worker.wait()


def _python(environment: Path, cwd: Path, code: str) -> str:
    run = subprocess.run(
        [str(environment / "bin" / "python"), "-c", code],
        cwd=cwd,
        env=BARE,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def _shop(directory: Path) -> Path:
    target = directory / "shop"
    target.mkdir()
    for name, text in SHOP.items():
        (target / name).write_text(text)
    return target


def test_types_are_in_the_wheel(environment: Path, tmp_path: Path) -> None:
    """Without `py.typed` a type checker takes everything of a package as Any."""
    code = """
from importlib.resources import files
for package in ("lern_tasks", "bridge"):
    assert (files(package) / "py.typed").is_file(), package
"""
    subprocess.run([str(environment / "bin" / "python"), "-c", code], cwd=tmp_path, check=True)


def _copy(directory: Path) -> Path:
    """The sources in a directory of their own: a build in the checkout would leave its own directories there."""
    target = directory / "source"
    target.mkdir()
    for name in ("lern_tasks", "bridge"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "celeryconfig.py"):
        shutil.copy(ROOT / name, target)
    return target
