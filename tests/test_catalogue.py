"""The table of jobs: its rows hold together, whatever lists jobs derives from it, and each job is complete."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from lern_tasks import catalogue
from lern_tasks.app import configured_app
from lern_tasks.catalogue import EVENT_JOBS, FOLLOW_UPS, JOBS, ROWS, TASKS, EventJob, FollowUp, JobName, ProgressJob
from lern_tasks.catalogue.row import Job
from lern_tasks.cli.doctor.used import used
from lern_tasks.settings import Settings
from lern_tasks.settings.progress import ProgressSettings
from lern_tasks.sunbird.table_names import JobTables
from tests.completeness import missing_of
from tests.harness.samples import ROOT
from tests.variables import fields

ELSEWHERE = {
    "lern_tasks/cli/doctor/templates.py": "looks into the rows of one job, beside what the catalogue says of all",
    "lern_tasks/demo/scenario/certificates.py": "the demo plays the jobs by name",
    "lern_tasks/demo/scenario/rows.py": "the demo plays the jobs by name",
    "lern_tasks/demo/scenario/run.py": "the demo plays the jobs by name",
    "lern_tasks/jobs/accounts/follow_ups.py": "hands off to a domain beside its own, which it may not import",
    "lern_tasks/sunbird/tables.py": "the platform gave a table the same name",
}
"""What may name a job although it is not its folder, the catalogue or the settings."""


def test_the_types_name_the_rows() -> None:
    assert set(get_args(EventJob)) == set(EVENT_JOBS)
    assert set(get_args(FollowUp)) == set(FOLLOW_UPS)
    assert len(JOBS) == len(set(JOBS)) == len(ROWS)
    progress = {job for job in EVENT_JOBS if isinstance(Settings.model_construct().job(job), ProgressSettings)}
    assert progress == set(get_args(ProgressJob))


def test_every_task_has_its_place_in_the_table() -> None:
    app = configured_app()
    app.loader.import_default_modules()
    tasks = {name: type(task).__module__ for name, task in app.tasks.items() if name.startswith("lern.")}
    records = {catalogue.task_name(job): ROWS[job].module for job in JOBS}
    assert {name: module for name, module in tasks.items() if name in records} == records
    others = {name: module for name, module in tasks.items() if name not in records}
    assert set(others.values()) == {row.module for row in TASKS}
    assert {(row.module, name) for row in TASKS for name in row.maintenance} <= {
        (module, name) for name, module in others.items()
    }


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.name)
def test_what_a_row_names_is_there(row: Job) -> None:
    settings = Settings.model_construct()
    own = set(type(settings.job(row.name)).model_fields)
    assert {setting for setting in row.hands_off_to.values() if setting} <= own
    assert {*row.tables, *(name for beside in row.beside for name in beside.tables)} <= set(
        JobTables.__dataclass_fields__
    )
    for service in row.services:
        kind, member = service.client.split(".")
        assert hasattr(getattr(import_module(f"lern_tasks.jobs.{row.domain}.api"), kind), member), service
        assert service.variable.lower() in own
    switches = [
        *(use.unless for use in row.redis),
        *(service.unless for service in row.services),
        *(beside.unless for beside in row.beside),
    ]
    # A setting that is not there would raise.
    assert all(used(settings, row.scope, switch) in (True, False) for switch in switches)


@pytest.mark.parametrize("job", EVENT_JOBS)
def test_a_job_is_complete(job: EventJob) -> None:
    assert missing_of(job, ROOT) == []


def test_a_sentence_says_what_a_job_lacks(tmp_path: Path) -> None:
    job, topic = "merge_user_courses", "lms.user.account.merge"
    page = f"docs/jobs/{job}.md"
    assert missing_of("merge_user_courses", tmp_path) == [
        f"{job} lacks its task: write lern_tasks/jobs/accounts/{job}.py.",
        f"{job} lacks its page: write {page}, which begins with `# {job}`.",
        f"{job} lacks its row in README.md: | `{job}` | `{topic}` | what it does | [docs]({page}) |.",
        f"{job} lacks its page in the menu: a line in mkdocs.yml, - jobs/{job}.md.",
        f"{job} lacks its line in tests/public/task_contract.txt: make the file again, as test_task_contract.py says.",
        f"{job} lacks its section of docs/configuration.md: make the page again, as its first lines say.",
        f"{job} lacks a sample event: put a documented one into tests/samples/{topic}/.",
    ]


def test_a_documented_variable_without_a_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(fields.VALUES, ("merge_user_courses", "course.date.format"))
    told = "lines in tests/variables that show what these variables do: course.date.format"
    assert missing_of("merge_user_courses", ROOT) == [f"merge_user_courses lacks {told}."]


def test_a_job_is_named_in_two_places_outside_of_its_folder() -> None:
    """In the catalogue, and in the settings; besides, only where the list above gives a reason."""
    outside = defaultdict(set)
    for file in sorted((*(ROOT / "lern_tasks").rglob("*.py"), *(ROOT / "bridge").rglob("*.py"))):
        place = file.relative_to(ROOT).as_posix()
        for job in _named_in(file):
            if not place.startswith(f"lern_tasks/jobs/{ROWS[job].domain}/"):
                outside[job].add(place)
    places = {job: {place for place in found if place not in ELSEWHERE} for job, found in outside.items()}
    for job, found in places.items():
        assert {place.split("/")[1] for place in found} <= {"catalogue", "settings"}, (job, found)
    assert set(ELSEWHERE) == {place for found in outside.values() for place in found if place in ELSEWHERE}


def _named_in(file: Path) -> Iterator[JobName]:
    """The jobs that a module's code names: as text, as an attribute, or as a module; prose is left out."""
    tree = ast.parse(file.read_text("utf-8"))
    prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    words: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose:
            words |= set(re.findall(r"\w+", node.value))
        elif isinstance(node, ast.Attribute):
            words.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            words |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
    return (job for job in JOBS if job in words)
