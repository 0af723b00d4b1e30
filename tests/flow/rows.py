"""The stored rows in the oracle's form, so that both can be compared."""

from typing import Any

from lern_tasks.stores.gateway import Gateway
from lern_tasks.stores.tables import JobTables
from tests.flow.course import Course, Scenario
from tests.flow.oracle import Expected


def stored_rows(gateway: Gateway, tables: JobTables, scenario: Scenario) -> dict[str, Expected]:
    """The rows of every learner, by the text of the enrolment key; fails when a certificate's name is there twice."""
    keys = [(learner.key.user_id, learner.key.course_id, learner.key.batch_id) for learner in scenario.learners]
    columns = ["status", "progress", "contentstatus", "completedon", "issued_certificates"]
    enrolments: Any = gateway.get_many(tables.enrolments, keys, columns)
    contents: Any = gateway.select_many(tables.content_consumption, keys, ["contentid", "viewcount", "completedcount"])
    found = {}
    for learner, key in zip(scenario.learners, keys, strict=True):
        row = enrolments[key] or {}
        names = [element["name"] for element in row.get("issued_certificates") or ()]
        assert len(names) == len({name.lower() for name in names}), f"a name twice: {names}"
        found[learner.key.text] = Expected(
            status=row.get("status", -1),
            progress=row.get("progress", -1),
            content_status=row.get("contentstatus") or {},
            completed=row.get("completedon") is not None,
            certificates=frozenset(names),
            counts={
                entry["contentid"]: (entry["viewcount"], entry["completedcount"])
                for entry in contents[key]
                if entry["viewcount"] is not None
            },
            aggregates=_aggregates(gateway, tables, scenario.course_of(learner), learner.key.user_id),
        )
    return found


def _aggregates(gateway: Gateway, tables: JobTables, course: Course, user_id: str) -> dict[str, float]:
    keys = [("Course", name, user_id, f"cb:{course.batch_id}") for name in (course.course_id, *course.units)]
    rows: Any = gateway.get_many(tables.activity_agg, keys, ["aggregates"])
    return {key[1]: row["aggregates"]["completedCount"] for key, row in rows.items() if row}
