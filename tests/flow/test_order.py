"""The same events shuffled, doubled, alone or packed; and a new consumer group on a topic with old records."""

import random
from collections import Counter
from typing import Any

import pytest

from tests.flow.conftest import Open
from tests.harness.consumer_groups import wait_for_group
from tests.harness.installation import PROGRESS, Installation
from tests.harness.oracle import expected
from tests.harness.scenario import Scenario, finished, make_course, make_scenario

pytestmark = pytest.mark.slow

SECOND_GROUP = "LERN_ACTIVITY_AGGREGATE_UPDATER__KAFKA_GROUPID"


def shuffled(scenario: Scenario, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Every event, a third of them twice, and some that repeat several contents at once; in any order."""
    rng = random.Random(seed)
    events = scenario.events()
    events += rng.sample(events, len(events) // 3)
    events += [
        (learner.key.user_id, finished(learner.key, rng.sample(learner.finished, 2)))
        for learner in scenario.learners
        if len(learner.finished) > 1
    ]
    rng.shuffle(events)
    return events


def test_order_doubles_and_old_records_do_not_matter(open_installation: Open, packing: dict[str, str]) -> None:
    installation = open_installation(**packing)
    courses = [make_course("a", optional=1), make_course("b", templates=("Course Merit", "Participation"))]
    scenario = make_scenario(7, learners=20, courses=courses)
    installation.seed(scenario)
    # The records are old before any consumer group exists.
    produced = installation.produce(PROGRESS, shuffled(scenario, 7))
    assert produced > len(scenario.events())
    installation.produce("content.postpublish.request", [(c.course_id, c.published()) for c in courses])
    installation.system.start_worker()
    first = installation.system.start_bridge()
    installation.wait_for(scenario)
    installation.wait_idle()
    first.terminate()
    first.wait(timeout=20)

    rows, audits = installation.rows(scenario), mids(installation)
    installation.system.start_bridge("activity_aggregate_updater", **{SECOND_GROUP: "another-group"})
    wait_for_group(installation, "another-group", PROGRESS)
    installation.wait_idle()
    assert installation.rows(scenario) == rows
    assert mids(installation) == audits
    assert not installation.dead()
    certificates = Counter(
        (entity.document["recipient"]["id"], entity.document["certificateLabel"])
        for entity in installation.registry.entities()
    )
    assert set(certificates.values()) == {1}
    assert len(certificates) == sum(len(row.certificates) for row in expected(scenario).values())


def mids(installation: Installation) -> set[str]:
    return {event["mid"] for event in installation.events("telemetry.raw")}
