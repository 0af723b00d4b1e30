"""docs/adding-a-job.md, followed to the letter in a copy of the checkout: the job that it adds works, and is listed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.samples import ROOT
from tests.toy_job.page import Block, Section, sections

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PAGE = ROOT / "docs" / "adding-a-job.md"
COPIED = ("lern_tasks", "bridge", "tests", "docs", "README.md", "celeryconfig.py", "mkdocs.yml", "pyproject.toml")
INCOMPLETE = """
from pathlib import Path
from tests.completeness import missing_of
print(*missing_of("bookmark_updater", Path.cwd()), sep="\\n")
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the page is about."""
    root = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, root / name)
    return root


def run(root: Path, *command: str) -> str:
    """The output of a command in the copy, with this environment's programs and the copy's modules."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LERN_", "PYTEST_", "COV_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        command,
        cwd=root,
        env={**kept, "PATH": path, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def do(section: Section, root: Path) -> None:
    for block in section.blocks:
        block.apply(root)
    for command in section.commands:
        run(root, "sh", "-c", command)


def test_the_page_adds_a_job_that_works(checkout: Path, tmp_path: Path) -> None:
    folder, settings, row, page, end = sections(PAGE)
    for section in (folder, settings, row):
        do(section, checkout)
    told = run(checkout, sys.executable, "-c", INCOMPLETE).splitlines()
    assert [sentence.partition(":")[0] for sentence in told] == [
        "bookmark_updater lacks its page",
        "bookmark_updater lacks its row in README.md",
        "bookmark_updater lacks its page in the menu",
        "bookmark_updater lacks its line in tests/public/task_contract.txt",
        "bookmark_updater lacks its section of docs/configuration.md",
        "bookmark_updater lacks a sample event",
    ]
    do(page, checkout)
    do(end, checkout)
    assert run(checkout, sys.executable, "-c", INCOMPLETE).strip() == ""

    found = json.loads(run(checkout, sys.executable, "-m", "tests.toy_job.walk", str(tmp_path)).splitlines()[-1])
    # The newer of the two, although it came first; the others whole, in the topic of jobs without one of their own.
    assert found["row"] == {"lastreadcontentid": "do_2", "lastcontentaccesstime": "2023-11-14T22:14:20+00:00"}
    (letter, stranger) = found["letters"]
    assert letter == ["dev.lern.tasks.failed", "INVALID_EVENT", "not JSON"]
    assert stranger[:2] == ["dev.lern.tasks.failed", "NO_ENROLMENT"]
    assert json.loads(stranger[2])["edata"]["userId"] == "stranger"
    (said,) = found["counts"]
    assert "2 of 4 records are dead letters" in said
    assert found["listed"] == {
        "queues": ["bookmark-updater"],
        "modules": ["lern_tasks.jobs.bookmarks.bookmark_updater"],
        "celery": {"queue": "bookmark-updater"},
        "topics": [
            {"name": "dev.content.bookmark", "roles": ["input"]},
            {"name": "dev.lern.tasks.failed", "roles": ["failed"]},
        ],
        "tables": ["sunbird_courses.user_enrolments"],
        "schema check": True,
        "doctor": {
            "tables": ["sunbird_courses.user_enrolments"],
            "queues": ["bookmark-updater"],
            "checks": [
                "settings",
                "kafka",
                "redis broker",
                "redis results",
                "redis state",
                "cassandra",
                "workers",
                "bridge",
                "files",
                "outages",
            ],
        },
    }


def test_a_block_goes_below_its_line_or_is_a_new_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("JOBS = (\n)\n", "utf-8")
    Block("a.py", "JOBS", "    1,\n").apply(tmp_path)
    assert (tmp_path / "a.py").read_text("utf-8") == "JOBS = (\n    1,\n)\n"
    Block("b/c.py", None, "x\n").apply(tmp_path)
    assert (tmp_path / "b" / "c.py").read_text("utf-8") == "x\n"
    with pytest.raises(ValueError, match="no line that begins with 'ROWS'"):
        Block("a.py", "ROWS", "").apply(tmp_path)
    with pytest.raises(ValueError, match="already"):
        Block("a.py", None, "").apply(tmp_path)
