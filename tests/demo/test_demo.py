"""One demo of 37 learners, under a path with a space, in the C locale, with few file descriptors and no terminal."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import resvg_py

from lern_tasks.demo.scenario.course import GAPS, MERGED
from lern_tasks.errors import LernError
from lern_tasks.storage.sqlite.gateway import SqliteGateway
from lern_tasks.sunbird.tables import ENROLMENTS
from tests.demo.running import SECONDS, finish, processes_of, start

pytestmark = pytest.mark.slow

LEARNERS, LESSONS = 37, 4
STOPPING = LEARNERS // 5
FINISHING = LEARNERS - STOPPING
OTHERS = GAPS + MERGED
PASSING = sum(number % 4 == 0 and number % 5 != 4 for number in range(LEARNERS))
CERTIFICATES = FINISHING + OTHERS + PASSING
KEYS = {
    "events",
    "enrolments",
    "enrolments_completed",
    "exams",
    "certificates",
    "merits",
    "reconciled",
    "merged",
    "dead_letters",
    "seconds_to_first_certificate",
    "seconds",
    "processes",
}


@dataclass(frozen=True, slots=True)
class Run:
    """A demo that has ended: its JSON, its kept directory, its temporary directory."""

    result: dict[str, Any]
    kept: Path
    temporary: Path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    temporary = tmp_path_factory.mktemp("with a space")
    kept = temporary / "kept files"
    process = start(
        *("--learners", str(LEARNERS), "--lessons", str(LESSONS), "--json", "--keep", str(kept)),
        temporary=temporary,
        arguments=["sh", "-c", 'ulimit -n 256; exec "$@"', "sh"],
        env={"LANG": "C", "LC_ALL": "C"},
    )
    output, errors = finish(process)
    assert process.returncode == 0, errors
    return Run(json.loads(output), kept, temporary)


def test_the_object_has_exactly_the_promised_keys(run: Run) -> None:
    assert run.result.keys() == KEYS


def test_the_numbers_follow_from_learners_and_lessons(run: Run) -> None:
    lessons = FINISHING * LESSONS + STOPPING * (LESSONS - 1)
    lessons += MERGED * (LESSONS // 2)
    # Besides the lessons: each exam, the publication, the broken event, the syncs and the merges.
    assert run.result["events"] == lessons + FINISHING + 2 + OTHERS
    assert run.result["enrolments"] == LEARNERS + OTHERS
    assert run.result["enrolments_completed"] == FINISHING + OTHERS
    assert run.result["exams"] == FINISHING
    assert run.result["merits"] == PASSING > 0
    assert (run.result["reconciled"], run.result["merged"]) == (GAPS, MERGED)
    assert len(run.result["certificates"]) == CERTIFICATES
    assert run.result["dead_letters"] == 1
    assert 0 < run.result["seconds_to_first_certificate"] <= run.result["seconds"]


def test_every_process_has_ended(run: Run) -> None:
    assert {"kafka", "redis", "bridge", "worker", "beat"} <= {each["name"] for each in run.result["processes"]}
    assert processes_of(run.temporary) == []


def test_who_finishes_has_one_certificate_and_who_passes_another(run: Run) -> None:
    names: dict[str, list[str]] = {}
    for certificate in run.result["certificates"]:
        names.setdefault(certificate["userId"], []).append(certificate["name"])
    assert len(names) == FINISHING + OTHERS
    assert not [user for user in names if "learner" in user and int(user.removeprefix("demo-learner-")) % 5 == 0]
    assert sum(sorted(each) == ["Course Completion", "Merit"] for each in names.values()) == PASSING
    assert sum(each == ["Course Completion"] for each in names.values()) == FINISHING + OTHERS - PASSING
    assert len({certificate["identifier"] for certificate in run.result["certificates"]}) == CERTIFICATES


def test_every_certificate_is_a_picture_with_name_course_and_a_code_that_leads_to_it(run: Run) -> None:
    names = {user: f"{u['firstName']} {u['lastName']}" for user, u in _platform(run)["users"].items()}
    for certificate in run.result["certificates"]:
        svg = Path(certificate["file"]).read_text("utf-8")
        text = " ".join(ElementTree.fromstring(svg).itertext())
        assert names[certificate["userId"]] in text
        assert "Fractions for teachers" in text
        address = _decode(svg)
        assert re.fullmatch(rf"http://127\.0\.0\.1:\d+/certs/{certificate['identifier']}", address), address


def test_every_certificate_is_active_in_the_registry_once(run: Run) -> None:
    entities = {}
    for line in (run.kept / "data" / "registry.jsonl").read_text("utf-8").splitlines():
        entity = json.loads(line)
        entities[entity["osid"]] = entity
    issued = [entity for entity in entities.values() if entity["entity"] == "TrainingCertificate"]
    assert {entity["osid"] for entity in issued} == {c["identifier"] for c in run.result["certificates"]}
    assert all(entity.get("deleted_at") is None for entity in issued)


def test_every_certificate_is_in_the_enrolment_row(run: Run) -> None:
    issued = {user: row["issued_certificates"] for user, row in _rows(run).items() if row["issued_certificates"]}
    in_rows = {(user, element["identifier"]) for user, elements in issued.items() for element in elements}
    assert in_rows == {(certificate["userId"], certificate["identifier"]) for certificate in run.result["certificates"]}


def test_learners_who_stopped_have_their_progress_and_no_certificate(run: Run) -> None:
    rows = {user: row for user, row in _rows(run).items() if user.startswith("demo-learner-")}
    assert len(rows) == LEARNERS
    stopped = [row for user, row in rows.items() if int(user.removeprefix("demo-learner-")) % 5 == 0]
    assert [(row["status"], row["progress"]) for row in stopped] == [(1, LESSONS - 1)] * STOPPING
    assert not any(row["issued_certificates"] for row in stopped)


def test_the_kept_dead_letter_can_be_inspected_after_the_demo(run: Run) -> None:
    listed = _lern(f"dead-letters list --json --from {shlex.quote(str(run.kept))}")
    (letter,) = json.loads(listed)
    assert letter["code"] == "INVALID_EVENT"
    assert "courseId" in letter["error"]
    place = f"{letter['topic']} {letter['partition']} {letter['offset']}"
    shown = _lern(f"dead-letters show --from {shlex.quote(str(run.kept))} {place}")
    assert '"batch-enrolment-update"' in shown
    assert '"courseId"' not in shown


def test_no_log_has_a_name_of_a_learner(run: Run) -> None:
    logs = "\n".join(path.read_text("utf-8", "replace") for path in (run.kept / "data").glob("*.log"))
    assert "message_done" in logs
    users = _platform(run)["users"].values()
    assert [user for user in users if user["lastName"] in logs or user["firstName"] in logs] == []


def _lern(arguments: str) -> str:
    command = [sys.executable, "-m", "lern_tasks.cli", *shlex.split(arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS).stdout


def _platform(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run.kept / "data" / "platform.json").read_text("utf-8"))
    return found


def _rows(run: Run) -> dict[str, Mapping[str, Any]]:
    """The enrolment row of each learner, by user id."""
    users = [f"demo-learner-{number:04d}" for number in range(1, LEARNERS + 1)]
    users += [f"demo-gap-{number + 1}" for number in range(GAPS)]
    users += [f"demo-merged-{number + 1}" for number in range(MERGED)]
    keys = [(user, "do_demo_fractions", "0139000000000001") for user in users]
    gateway = SqliteGateway(str(run.kept / "data" / "store.sqlite"))
    try:
        found = gateway.get_many(ENROLMENTS, keys, ("status", "progress", "issued_certificates"))
    finally:
        gateway.close()
    return {key[0]: row for key, row in found.items() if row is not None and not isinstance(row, LernError)}


def _decode(svg: str) -> str:
    picture = cv2.imdecode(np.frombuffer(bytes(resvg_py.svg_to_bytes(svg_string=svg)), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    address, _, _ = cv2.QRCodeDetectorAruco().detectAndDecode(picture)
    return str(address)
