"""Differences between the declared tables and an installation's are told in words that say what to do."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lern_tasks.errors import SchemaMismatch, SettingsError
from lern_tasks.settings import Settings
from lern_tasks.storage.cassandra.ddl import stored_type, type_name
from lern_tasks.storage.cassandra.schema_check import (
    FoundColumn,
    FoundSchema,
    act_on,
    differences,
    found_schema,
    key_of,
)
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.table_names import needed_tables
from lern_tasks.sunbird.tables import ACTIVITY_AGG, ASSESSMENTS, ENROLMENTS, MERGE_LEDGER, QUESTION


def as_declared(table: Table, **changed: FoundColumn | None) -> FoundSchema:
    """What Cassandra tells of `table`, with columns changed, or left out for None."""
    columns: dict[str, FoundColumn | None] = {
        name: FoundColumn(type=stored_type(table, kind), kind="regular") for name, kind in table.columns.items()
    }
    for kind, names in (("partition_key", table.partition), ("clustering", table.clustering)):
        for position, name in enumerate(names):
            columns[name] = FoundColumn(type=table.columns[name], kind=kind, position=position)
    columns |= changed
    return FoundSchema(
        tables={table.full_name: {name: column for name, column in columns.items() if column is not None}},
        types={f"{table.keyspace}.{type_name(table, name)}": dict(of) for name, of in table.types.items()},
    )


@pytest.mark.parametrize("table", needed_tables(Settings()), ids=lambda table: table.name)
def test_a_table_as_declared_has_no_difference(table: Table) -> None:
    assert differences([table], as_declared(table)) == []


def test_further_columns_are_the_installations_own_affair() -> None:
    found = as_declared(ENROLMENTS, oldenrolleddate=FoundColumn(type="text", kind="regular"))
    assert differences([ENROLMENTS], found) == []


def test_every_table_of_every_job_is_needed_once() -> None:
    names = [table.full_name for table in needed_tables(Settings(env="local"))]
    assert sorted(names) == [
        "lern_tasks.merge_ledger",
        "local_hierarchy_store.content_hierarchy",
        "sunbird.cert_registry",
        "sunbird_courses.assessment_aggregator",
        "sunbird_courses.course_batch",
        "sunbird_courses.user_activity_agg",
        "sunbird_courses.user_content_consumption",
        "sunbird_courses.user_enrolments",
    ]


def test_a_missing_table() -> None:
    (line,) = differences([ENROLMENTS], FoundSchema())
    assert line.startswith("table sunbird_courses.user_enrolments does not exist: run the platform's migrations")


def test_a_missing_column() -> None:
    (line,) = differences([ENROLMENTS], as_declared(ENROLMENTS, contentstatus=None))
    assert "has no column contentstatus" in line
    assert "ALTER TABLE sunbird_courses.user_enrolments ADD contentstatus map<text, int>" in line


def test_another_type() -> None:
    found = as_declared(ENROLMENTS, completedon=FoundColumn(type="text", kind="regular"))
    (line,) = differences([ENROLMENTS], found)
    assert line.startswith(
        "column completedon of table sunbird_courses.user_enrolments is text, and the jobs need timestamp: "
    )


def test_varchar_is_text() -> None:
    found = as_declared(ENROLMENTS, lastreadcontentid=FoundColumn(type="varchar", kind="regular"))
    assert differences([ENROLMENTS], found) == []


def test_a_frozen_collection_cannot_be_written_by_entry() -> None:
    found = as_declared(ENROLMENTS, contentstatus=FoundColumn(type="frozen<map<text, int>>", kind="regular"))
    (line,) = differences([ENROLMENTS], found)
    assert "frozen<map<text, int>>" in line


def test_a_static_column() -> None:
    found = as_declared(ENROLMENTS, status=FoundColumn(type="int", kind="static"))
    (line,) = differences([ENROLMENTS], found)
    assert "status of table sunbird_courses.user_enrolments is static" in line


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"clustering": ("batchid", "courseid")}, "((userid), batchid, courseid)"),
        ({"partition": ("userid", "courseid"), "clustering": ("batchid",)}, "((userid, courseid), batchid)"),
        ({"clustering": ("courseid", "batchid", "addedby")}, "((userid), courseid, batchid, addedby)"),
        ({"clustering": ("courseid",)}, "((userid), courseid)"),
    ],
)
def test_the_order_and_the_parts_of_the_key_matter(change: Mapping[str, Any], told: str) -> None:
    (line,) = differences([ENROLMENTS], as_declared(replace(ENROLMENTS, **change)))
    assert f"has the key {told}, and the jobs need ((userid), courseid, batchid): a key cannot be altered" in line


def test_the_order_of_partition_columns_matters() -> None:
    turned = replace(ACTIVITY_AGG, partition=("activity_id", "activity_type", "user_id"))
    (line,) = differences([ACTIVITY_AGG], as_declared(turned))
    assert "((activity_id, activity_type, user_id), context_id)" in line


def test_a_key_column_that_is_missing_is_told_with_the_key_only() -> None:
    (line,) = differences([ENROLMENTS], as_declared(ENROLMENTS, batchid=None))
    assert "has the key ((userid), courseid)" in line


def test_a_column_that_an_installation_may_lack_must_have_its_type_where_it_is() -> None:
    assert differences([ENROLMENTS], as_declared(ENROLMENTS, certstatus=None, enrolled_date=None)) == []
    (line,) = differences([ENROLMENTS], as_declared(ENROLMENTS, certstatus=FoundColumn(type="text", kind="regular")))
    assert line.startswith("column certstatus of table sunbird_courses.user_enrolments is text, and the jobs need int")


@pytest.mark.parametrize("key", ASSESSMENTS.other_keys)
def test_each_of_the_known_keys_will_do(key: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    other = replace(ASSESSMENTS, partition=key[0], clustering=key[1])
    assert differences([ASSESSMENTS], as_declared(other)) == []
    unknown = replace(ASSESSMENTS, partition=("user_id",), clustering=("course_id", *ASSESSMENTS.clustering))
    (line,) = differences([ASSESSMENTS], as_declared(unknown))
    assert "has the key ((user_id), course_id, batch_id, content_id, attempt_id), and the jobs need " in line
    assert "((user_id, course_id), batch_id, content_id, attempt_id) or " in line
    assert "((course_id), batch_id, user_id, content_id, attempt_id): a key cannot be altered" in line


NAMED = replace(ASSESSMENTS, type_names={"question": "Answered"})


def test_a_type_under_the_name_that_the_settings_give_it() -> None:
    found = as_declared(NAMED)
    assert found.types.keys() == {"sunbird_courses.answered"}
    assert differences([NAMED], found) == []
    (line,) = differences([ASSESSMENTS], FoundSchema(tables=found.tables, types=as_declared(ASSESSMENTS).types))
    assert "is list<frozen<answered>>, and the jobs need list<frozen<question>>" in line


def of_type(**changed: str | None) -> FoundSchema:
    found = as_declared(NAMED)
    there = {**QUESTION, **changed}
    types = {"sunbird_courses.answered": {name: kind for name, kind in there.items() if kind is not None}}
    return FoundSchema(tables=found.tables, types=types)


def test_fields_of_a_type() -> None:
    assert differences([NAMED], of_type(subject="text", resvalues="frozen<list<frozen<map<varchar, varchar>>>>")) == []
    (line,) = differences([NAMED], of_type(duration=None))
    assert line == (
        "type sunbird_courses.answered has no field duration: run the platform's migrations, "
        "or ALTER TYPE sunbird_courses.answered ADD duration decimal"
    )
    (line,) = differences([NAMED], of_type(score="float"))
    assert line.startswith("field score of type sunbird_courses.answered is float, and the jobs need double: ")
    (line,) = differences([NAMED], FoundSchema(tables=as_declared(NAMED).tables))
    assert line.startswith("type sunbird_courses.answered does not exist: ")


def test_a_table_of_ours_has_a_command_that_makes_it() -> None:
    (line,) = differences([MERGE_LEDGER], FoundSchema())
    assert line == "table lern_tasks.merge_ledger does not exist: lern tables create"


def test_rows_of_the_system_tables_and_names_in_settings_as_cassandra_keeps_them() -> None:
    columns = [
        {"table_name": "user_enrolments", "column_name": name, "type": c.type, "kind": c.kind, "position": c.position}
        for name, c in as_declared(ENROLMENTS).table(ENROLMENTS).items()
    ]
    types = [{"type_name": "question", "field_names": list(QUESTION), "field_types": list(QUESTION.values())}]
    found = found_schema("sunbird_courses", columns, types)
    loud = ENROLMENTS.renamed(keyspace="Sunbird_Courses", name="USER_ENROLMENTS")
    assert differences([loud, ENROLMENTS], found) == []
    assert found.type(ASSESSMENTS, "question") == QUESTION
    assert key_of(found.table(loud)) == (ENROLMENTS.partition, ENROLMENTS.clustering)


def test_what_cannot_be_a_name_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="cannot be the name"):
        differences([ENROLMENTS.renamed(keyspace='x" ; DROP', name="y")], FoundSchema())


def test_refuse_raises_all_differences_and_the_other_modes_do_not() -> None:
    with pytest.raises(SchemaMismatch, match=r"^one; two$"):
        act_on(["one", "two"], "refuse")
    act_on([], "refuse")
    act_on(["one"], "warn")
    act_on(["one"], "off")
