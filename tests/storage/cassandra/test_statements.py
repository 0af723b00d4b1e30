"""CQL from declarations, and what the driver's errors mean for a record. See docs/architecture.md, "Failure"."""

from dataclasses import replace
from typing import Any

import pytest
from cassandra import (
    AuthenticationFailed,
    InvalidRequest,
    OperationTimedOut,
    ReadTimeout,
    Unauthorized,
    Unavailable,
    WriteFailure,
    WriteTimeout,
    WriteType,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionShutdown
from cassandra.protocol import IsBootstrappingErrorMessage, OverloadedErrorMessage

from lern_tasks.errors import DependencyDown, InvalidEvent, SchemaMismatch, SettingsError, TransientError
from lern_tasks.storage.cassandra import ddl, statements
from lern_tasks.storage.gateway import Delete, Mutation, PutCells, PutMap, ReplaceCollection
from lern_tasks.sunbird.tables import ACTIVITY_AGG, ASSESSMENTS, ENROLMENTS

KEY = ("u", "c", "b")


def text_of(change: Mutation) -> str:
    made = statements.mutation(change, 7)
    assert made is not None
    text, values = made
    # The time first, then what is set, then the key, as many as there are question marks.
    assert values[0] == 7
    assert text.count("?") == len(values)
    return text


def test_a_row_is_selected_by_its_whole_key_and_a_partition_by_its_columns() -> None:
    assert statements.select(ACTIVITY_AGG, ["agg", "aggregates"], 4) == (
        'SELECT agg, aggregates FROM "sunbird_courses"."user_activity_agg" '
        "WHERE activity_type = ? AND activity_id = ? AND user_id = ? AND context_id = ?"
    )
    assert statements.select(ENROLMENTS, ["status"], 1).endswith("WHERE userid = ?")


def test_cells_are_updated_so_that_no_row_marker_stays() -> None:
    cells = {"status": 2, "progress": 3}
    text = text_of(PutCells(table=ENROLMENTS, key=KEY, cells=cells))
    assert text == (
        'UPDATE "sunbird_courses"."user_enrolments" USING TIMESTAMP ? SET progress = ?, status = ? '
        "WHERE userid = ? AND courseid = ? AND batchid = ?"
    )
    # One statement to prepare, whatever the order.
    turned = PutCells(table=ENROLMENTS, key=KEY, cells=dict(reversed(cells.items())))
    assert statements.mutation(turned, 7) == (text, [7, 3, 2, *KEY])


def test_entries_are_put_and_a_collection_is_assigned() -> None:
    entries = PutMap(table=ENROLMENTS, key=KEY, column="contentstatus", entries={"a": 1})
    assert "SET contentstatus = contentstatus + ? WHERE" in text_of(entries)
    whole = ReplaceCollection(table=ENROLMENTS, key=KEY, column="contentstatus", value={"a": 1})
    assert "SET contentstatus = ? WHERE" in text_of(whole)


def test_a_row_is_deleted_at_its_time() -> None:
    assert text_of(Delete(table=ENROLMENTS, key=KEY)).startswith(
        'DELETE FROM "sunbird_courses"."user_enrolments" USING TIMESTAMP ? WHERE'
    )


def test_nothing_to_set_is_no_statement() -> None:
    assert statements.mutation(PutCells(table=ENROLMENTS, key=KEY, cells={}), 7) is None
    assert statements.mutation(PutMap(table=ENROLMENTS, key=KEY, column="contentstatus", entries={}), 7) is None


def test_the_development_schema_has_the_declared_key() -> None:
    text = ddl.create_table(ACTIVITY_AGG)
    assert text.startswith('CREATE TABLE IF NOT EXISTS "sunbird_courses"."user_activity_agg" (activity_type text, ')
    assert text.endswith("PRIMARY KEY ((activity_type, activity_id, user_id), context_id))")


def test_the_development_schema_has_the_types_under_the_installations_names() -> None:
    table = replace(ASSESSMENTS, type_names={"question": "Answered"})
    [text] = ddl.create_types(table)
    assert text.startswith('CREATE TYPE IF NOT EXISTS "sunbird_courses"."answered" (id text, assess_ts timestamp, ')
    assert "question list<frozen<answered>>" in ddl.create_table(table)


def test_a_keyspace_has_the_replication_that_is_asked_for() -> None:
    replication = {"class": "NetworkTopologyStrategy", "it's": "3"}
    assert ddl.create_keyspace("Own", replication) == (
        "CREATE KEYSPACE IF NOT EXISTS \"own\" WITH replication = {'class': 'NetworkTopologyStrategy', 'it''s': '3'}"
    )


def test_a_scan_goes_by_token_and_filters_nothing() -> None:
    text = statements.scan(ENROLMENTS, ["status"], ENROLMENTS.partition, resumed=False)
    assert text == 'SELECT token(userid) AS scanned_token, status FROM "sunbird_courses"."user_enrolments"'
    assert (
        statements.scan(ENROLMENTS, ["status"], ENROLMENTS.partition, resumed=True) == f"{text} WHERE token(userid) > ?"
    )


def test_names_are_kept_in_lower_case_and_nothing_else_is_a_name() -> None:
    assert ddl.stored_name("Sunbird_Courses") == "sunbird_courses"
    for name in ("", "a-b", 'a"; DROP', "x" * 49):
        with pytest.raises(SettingsError):
            ddl.stored_name(name)


@pytest.mark.parametrize(
    "error",
    [
        OperationTimedOut(),
        ReadTimeout("late"),
        WriteTimeout("late", write_type=WriteType.BATCH),
        WriteFailure("failed", write_type=WriteType.SIMPLE),
        OverloadedErrorMessage(0x1001, "too much", None),
        NoHostAvailable("all", {"a": OverloadedErrorMessage(0x1001, "too much", None)}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_of_one_statement_is_tried_again_with_the_record(error: Any) -> None:
    found = statements.lern_error(error)
    assert type(found) is TransientError
    assert found.dependency == "cassandra"


@pytest.mark.parametrize(
    "error",
    [
        NoHostAvailable("none", {}),
        NoHostAvailable("none", {"a": ConnectionShutdown("gone")}),
        NoHostAvailable("none", {"a": IsBootstrappingErrorMessage(0x1002, "soon", None)}),
        ConnectionShutdown("gone"),
        Unavailable("too few"),
        AuthenticationFailed("who"),
        Unauthorized("no"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_every_record_would_meet_is_an_outage(error: Any) -> None:
    found = statements.lern_error(error)
    assert isinstance(found, DependencyDown)
    assert found.name == "cassandra"


def test_a_refused_value_is_the_events_fault_and_a_missing_table_the_installations() -> None:
    assert isinstance(statements.lern_error(InvalidRequest("Key length of 70001 is longer than 65535")), InvalidEvent)
    assert isinstance(statements.lern_error(InvalidRequest("unconfigured table x")), SchemaMismatch)


def test_what_the_driver_does_not_raise_on_purpose_is_a_bug() -> None:
    with pytest.raises(RuntimeError):
        statements.lern_error(RuntimeError("bug"))
