"""Certificates without the registry, by real processes: documents in a container, told to the old registry."""

import json
from pathlib import Path

import pytest

from lern_tasks.demo.platform.old_registry import OldRegistry
from tests.flow.conftest import Open
from tests.harness.certificates import identifiers
from tests.harness.installation import GENERATE, PROGRESS
from tests.harness.oracle import expected
from tests.harness.requests import generate
from tests.harness.scenario import make_course, make_scenario
from tests.harness.waiting import wait_until
from tests.harness.without_registry import SVG, TEMPLATE, without_registry

pytestmark = pytest.mark.slow


def test_lessons_to_documents(open_installation: Open, packing: dict[str, str], tmp_path: Path) -> None:
    """The old registry is away at first, then registers one without an answer; every event comes twice."""
    folder = tmp_path / "documents"
    with OldRegistry() as old:
        installation = open_installation(**without_registry(old, folder), **packing)
        courses = [make_course("a"), make_course("b", templates=("Course Merit", "Participation"))]
        scenario = make_scenario(71, learners=12, courses=courses)
        installation.seed(scenario)
        installation.platform.add(templates={"0.svg": TEMPLATE, "1.svg": TEMPLATE})
        old.switches.update({"add": "503"})
        installation.system.start_worker()
        installation.system.start_bridge()
        installation.publish(scenario)
        installation.produce(PROGRESS, scenario.events() * 2)
        wait_until(
            lambda: old.requests_to("POST", "/certs/v2/registry/add"), seconds=60, what="a certificate asked for"
        )
        old.switches.update({"add": "500_after_commit", "add_times": 1})
        installation.wait_for(scenario)
        # What is no certificate is a dead letter here too.
        installation.produce(GENERATE, [("bad", generate(key=scenario.learners[0].key, issuer={"name": "X"}))])
        (letter,) = wait_until(installation.dead, seconds=30, what="a dead letter")
        installation.wait_idle()

        stored = {path.stem: json.loads(path.read_bytes()) for path in folder.rglob("*.json")}
        wanted = sum(len(row.certificates) for row in expected(scenario).values())
        assert identifiers(installation, scenario) == set(stored) == set(old.rows)
        assert len(stored) == wanted > 5
        assert all(document["printUri"].startswith(SVG) for document in stored.values())
        assert letter.topic() == installation.topic("generate.certificate.failed")
        assert not installation.registry.entities()
