"""The stored rows in the oracle's form, so that both can be compared."""

from typing import Any

from lern_tasks.storage.gateway import Gateway
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.table_names import JobTables
from tests.harness.oracle import Expected
from tests.harness.scenario import Scenario


def stored_rows(gateway: Gateway, tables: JobTables, assessments: Table, scenario: Scenario) -> dict[str, Expected]:
    """The rows of every learner, by the text of the enrolment key; fails when a certificate's name is there twice."""
    keys = [(learner.key.user_id, learner.key.course_id, learner.key.batch_id) for learner in scenario.learners]
    columns = ["status", "progress", "contentstatus", "completedon", "issued_certificates"]
    enrolments: Any = gateway.get_many(tables.enrolments, keys, columns)
    contents: Any = gateway.select_many(tables.content_consumption, keys, ["contentid", "viewcount", "completedcount"])
    figures = _figures(gateway, tables, scenario)
    scored = [key for key, learner in zip(keys, scenario.learners, strict=True) if learner.scores]
    attempts: Any = dict.fromkeys(keys, ())
    attempts |= gateway.select_many(assessments, scored, ["attempt_id", "grand_total"])
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
            aggregates={
                name: row["completedCount"]
                for name, row in figures[learner.key.text].items()
                if "completedCount" in row
            },
            scores={
                name: value
                for name, value in figures[learner.key.text].get(learner.key.course_id, {}).items()
                if name != "completedCount"
            },
            attempts={
                row["attempt_id"]: row["grand_total"]
                for row in attempts[learner.key.user_id, learner.key.course_id, learner.key.batch_id]
            },
        )
    return found


def _figures(gateway: Gateway, tables: JobTables, scenario: Scenario) -> dict[str, dict[str, dict[str, float]]]:
    """The figures of course and units, by enrolment and collection."""
    owners = {}
    for learner in scenario.learners:
        course = scenario.course_of(learner)
        for name in (course.course_id, *course.units):
            owners["Course", name, learner.key.user_id, f"cb:{course.batch_id}"] = learner.key.text
    rows: Any = gateway.get_many(tables.activity_agg, list(owners), ["aggregates"])
    found: dict[str, dict[str, dict[str, float]]] = {learner.key.text: {} for learner in scenario.learners}
    for key, owner in owners.items():
        if rows[key]:
            found[owner][key[1]] = rows[key]["aggregates"]
    return found
