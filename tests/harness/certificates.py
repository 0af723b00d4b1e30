"""What must be true of the certificates at the end of a flow."""

from collections import Counter
from typing import Any

from tests.harness.installation import Installation
from tests.harness.scenario import Scenario


def identifiers(installation: Installation, scenario: Scenario) -> set[str]:
    """What the rows name as the learners' certificates; fails when two name the same."""
    keys = [(learner.key.user_id, learner.key.course_id, learner.key.batch_id) for learner in scenario.learners]
    rows: Any = installation.system.ctx.gateway.get_many(installation.tables.enrolments, keys, ["issued_certificates"])
    found = [e["identifier"] for row in rows.values() if row for e in row["issued_certificates"] or ()]
    assert len(found) == len(set(found))
    return set(found)


def each_name_once(installation: Installation) -> None:
    """Each certificate's name is active once for a learner of a batch."""
    entities = [stored.document for stored in installation.registry.entities()]
    names = Counter((e["recipient"]["id"], e["training"]["batchId"], e["certificateLabel"]) for e in entities)
    assert set(names.values()) <= {1}
