"""The course of the documented examples, its relations, and events about it."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import for_job
from lern_tasks.sunbird.tables import (
    ACTIVITY_AGG,
    ASSESSMENTS,
    CONTENT_CONSUMPTION,
    CONTENT_HIERARCHY,
    COURSE_BATCH,
    ENROLMENTS,
)
from tests.harness.in_process import Chain
from tests.harness.oracle import Expected
from tests.harness.rows import stored_rows
from tests.harness.scenario import Course, Learner, Scenario, finished
from tests.jobs.certificates.rules.certificates import texts
from tests.jobs.relations.rules.trees import Tree, content, course, optional, unit

KEY = EnrolmentKey(user_id="u1", course_id="do_c1", batch_id="b1")
ROW = ("u1", "do_c1", "b1")
COURSE = Course(
    course_id="do_c1",
    batch_id="b1",
    units={"un1": ("r1", "r2"), "un2": ("r3", "r4")},
    optional=frozenset({"r4"}),
    templates=(),
)
"""The course of `course_tree`, as the oracle knows it."""


def course_tree() -> Tree:
    """Units un1 {r1, r2} and un2 {r3, r4}, of which r4 is optional."""
    return course(
        unit("un1", content("r1"), content("r2")),
        unit("un2", content("r3"), content("r4", relationalMetadata=optional())),
        leafNodes=["r1", "r2", "r3", "r4"],
    )


def publish(chain: Chain, tree: Tree | None = None) -> None:
    """Store the hierarchy and derive its relation keys by the task."""
    tree = tree or course_tree()
    chain.put(CONTENT_HIERARCHY, (tree["identifier"],), hierarchy=json.dumps(tree))
    event = {
        "edata": {"action": "post-publish-process", "identifier": tree["identifier"], "mimeType": tree["mimeType"]}
    }
    assert chain.run("relation_cache_updater", chain.record(event))["done"] == 1


def enrol(chain: Chain, key: EnrolmentKey = KEY, **cells: Any) -> None:
    """Store an enrolment; without cells an active one that has just begun."""
    row = {"active": True, "status": 0, "enrolled_date": datetime(2024, 1, 1, tzinfo=UTC), **cells}
    chain.put(ENROLMENTS, (key.user_id, key.course_id, key.batch_id), **row)


def batch(chain: Chain, *names: str, key: EnrolmentKey = KEY, **fields: Any) -> None:
    """Store certificate templates of these names with the batch, and the user and the course's name."""
    templates = {f"tpl_{number}": texts(identifier=f"tpl_{number}", name=n, **fields) for number, n in enumerate(names)}
    chain.put(COURSE_BATCH, (key.course_id, key.batch_id), cert_templates=templates)
    user = {"firstName": "Asha", "lastName": "Rao", "rootOrgId": "0123456789", "maskedPhone": "98****10"}
    chain.platform.add(users={key.user_id: user}, contents={key.course_id: {"name": "Fractions 101"}})


def consumed(chain: Chain, content_id: str, key: EnrolmentKey = KEY, **cells: int) -> None:
    """Store a content as the learner service does."""
    chain.put(CONTENT_CONSUMPTION, (key.user_id, key.course_id, key.batch_id, content_id), **cells)


def consumption(chain: Chain, content_id: str) -> dict[str, Any]:
    """The columns of a content that are set, without the key."""
    row = chain.row(CONTENT_CONSUMPTION, (*ROW, content_id))
    return {name: row[name] for name in ("status", "viewcount", "completedcount") if name in row}


def aggregates(chain: Chain) -> dict[str, float]:
    """The completed count by collection, of course and units."""
    found = {name: chain.row(ACTIVITY_AGG, ("Course", name, "u1", "cb:b1")) for name in ("do_c1", "un1", "un2")}
    return {name: row["aggregates"]["completedCount"] for name, row in found.items() if row}


def progress(chain: Chain, *contents: str, key: EnrolmentKey = KEY) -> dict[str, int]:
    """Deliver an event in which these contents are completed."""
    return chain.run("activity_aggregate_updater", chain.record(finished(key, list(contents))))


def learners(done: Mapping[EnrolmentKey, Iterable[str]]) -> Scenario:
    """Learners of the course by what each has finished, for the oracle."""
    found = [Learner(key=key, finished=sorted(contents), stored=frozenset()) for key, contents in done.items()]
    return Scenario(courses=[COURSE], learners=found)


def rows_of(chain: Chain, scenario: Scenario) -> dict[str, Expected]:
    """The rows of every learner in the oracle's form."""
    return stored_rows(chain.store, for_job(chain.settings, "activity_aggregate_updater"), ASSESSMENTS, scenario)
