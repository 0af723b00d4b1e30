"""A finished lesson becomes progress, a completed course and a certificate: topics to rows, with real processes."""

from collections import Counter

import pytest

from tests.flow.conftest import Open
from tests.harness.installation import AUDIT, PROGRESS, Installation
from tests.harness.oracle import expected, markers
from tests.harness.scenario import make_course, make_scenario
from tests.harness.size import size
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.every_variant]


def test_lessons_to_certificates(open_installation: Open, packing: dict[str, str]) -> None:
    installation = open_installation(**packing)
    courses = [make_course("a", optional=1), make_course("b", templates=("Course Merit", "Participation"))]
    scenario = make_scenario(1, learners=size(30, full=60), courses=courses)
    installation.seed(scenario)
    installation.system.start_worker()
    installation.system.start_bridge()
    installation.publish(scenario)
    installation.produce(PROGRESS, scenario.events())
    installation.wait_for(scenario)
    installation.wait_idle()

    wanted = expected(scenario)
    entities = [stored.document for stored in installation.registry.entities()]
    per_learner = Counter((e["recipient"]["id"], e["training"]["batchId"], e["certificateLabel"]) for e in entities)
    assert set(per_learner.values()) == {1}
    assert len(entities) == sum(len(row.certificates) for row in wanted.values()) > 10
    assert not installation.dead()

    client = installation.system.ctx.redis.client("dedup")
    assert all(client.exists(marker) for marker in markers(scenario))
    assert not list(client.scan_iter("lern:pending:*"))

    audits = Counter(event["edata"]["type"] for event in _distinct(installation))
    finished = sum(len(learner.finished) for learner in scenario.learners)
    completed = sum(row.completed for row in wanted.values())
    assert audits == {
        "start": finished,
        "complete": finished,
        "enrol-complete": completed,
        "certificate-issued-svg": len(entities),
    }
    wait_until(
        lambda: len(installation.platform.requests_to("POST", "/feed/v1/create")) == len(entities),
        seconds=20,
        what="one feed entry a certificate",
    )


def _distinct(installation: Installation) -> list[dict[str, dict[str, str]]]:
    return list({event["mid"]: event for event in installation.events(AUDIT)}.values())
