"""The merge's ledger and the whole rows of accounts; the same on SQLite and on Cassandra."""

import time
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lern_tasks.errors import InvalidEvent, SchemaMismatch
from lern_tasks.jobs.accounts.ledger import MergeLedger
from lern_tasks.jobs.accounts.rows import MergedRows
from lern_tasks.jobs.accounts.rules.content import Amounts, LedgerEntry, MergedContent
from lern_tasks.jobs.accounts.rules.merge import BatchKey, EnrolmentHistory, LedgerEntries, MergePlan
from lern_tasks.storage.cassandra.gateway import CassandraGateway
from lern_tasks.storage.gateway import Gateway, Key, Mutation, PutMap, ReplaceCollection
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import JobTables
from tests.servers.server import Server
from tests.storage.gateways import cassandra_settings, put, read, tables_in, write

NOW = datetime(2026, 11, 21, 10, 30, 15, 123_000, tzinfo=UTC)
EARLIER = datetime(2026, 11, 1, tzinfo=UTC)
TOKEN = time.time_ns() // 1000 + 3_600_000_000
"""In an hour: a write time later than that of rows written without one."""

PLACE = ("do_1", "b1")

CONTENT: dict[str, Any] = {
    "status": 2,
    "progress": 100,
    "viewcount": 3,
    "completedcount": 1,
    "completionpercentage": 0.5,
    "datetime": NOW,
    "last_access_time": EARLIER,
    "lastaccesstime": "2023-05-09 10:05:04:123+0530",
    "progressdetails": '{"p":9}',
}

ENROLMENT: dict[str, Any] = {
    "active": False,
    "addedby": "admin",
    "certificates": [{"name": "Old", "id": "c0"}, {"name": "Older"}],
    "certstatus": 1,
    "completedon": EARLIER,
    "completionpercentage": 100,
    "contentstatus": {"do_r1": 2, "do_r2": 1},
    "datetime": NOW,
    "enrolled_date": EARLIER,
    "enrolleddate": "2023-05-09",
    "issued_certificates": [{"name": "Merit", "identifier": "c9", "token": ""}],
    "lastreadcontentid": "do_r1",
    "progress": 2,
    "status": 2,
}

ATTEMPT: dict[str, Any] = {
    "created_on": EARLIER,
    "last_attempted_on": NOW,
    "grand_total": "1.5/2.0",
    "total_score": 1.5,
    "total_max_score": 2.0,
    "question": [{"id": "q1", "score": 1.5, "max_score": 2.0, "resvalues": [{"2": "blue"}], "assess_ts": NOW}],
}


@pytest.fixture
def merged(gateway: Gateway, tables: JobTables) -> MergedRows:
    gateway.create([tables.assessments, tables.content_consumption, tables.enrolments, tables.activity_agg])
    return MergedRows.open(gateway, tables, attempts=True)


@pytest.fixture
def ledger(gateway: Gateway, tables: JobTables) -> MergeLedger:
    gateway.create([tables.merge_ledger])
    return MergeLedger(gateway, tables.merge_ledger)


def user() -> str:
    return uuid.uuid4().hex


def key_of(user_id: str, place: BatchKey = PLACE) -> EnrolmentKey:
    return EnrolmentKey(user_id=user_id, course_id=place[0], batch_id=place[1])


def plan(**parts: Any) -> MergePlan:
    """A plan that writes the given parts."""
    nothing = MergePlan(contents={}, copying=False, enrolment={}, completed=None, attempts={})
    return replace(nothing, **parts)


def content(entry: LedgerEntry | None = None, **cells: Any) -> MergedContent:
    return MergedContent(cells=cells, entry=entry, unreadable=())


def cells(table: Table, key: Key, row: dict[str, Any]) -> list[Mutation]:
    """The mutations that store a row as others do."""
    return [
        ReplaceCollection(table=table, key=key, column=name, value=value)
        if isinstance(value, list | dict)
        else put(table, key, **{name: value})
        for name, value in row.items()
    ]


def test_rows_are_read_whole_and_written_whole(gateway: Gateway, tables: JobTables, merged: MergedRows) -> None:
    source, target = user(), user()
    write(
        gateway,
        *cells(tables.content_consumption, (source, *PLACE, "do_r1"), CONTENT),
        *cells(tables.enrolments, (source, *PLACE), ENROLMENT),
        *cells(tables.assessments, (source, *PLACE, "do_r1", "a1"), ATTEMPT),
        PutMap(
            table=tables.activity_agg,
            key=("Course", "do_1", source, "cb:b1"),
            column="aggregates",
            entries={"completedCount": 2.0},
        ),
    )
    whole = merged.history(key_of(source))
    assert whole.enrolment == ENROLMENT
    assert whole.contents == {"do_r1": CONTENT}
    assert whole.figures == {"completedCount": 2.0}
    attempt = dict(whole.attempts["do_r1", "a1"])
    question = {name: value for name, value in attempt.pop("question")[0].items() if value is not None}
    assert question == ATTEMPT["question"][0]
    assert attempt == {name: value for name, value in ATTEMPT.items() if name != "question"}
    made = plan(
        contents={"do_r1": content(**CONTENT)}, enrolment=ENROLMENT, completed=2.0, attempts=dict(whole.attempts)
    )
    merged.write(key_of(target), made, now=NOW, timestamp=TOKEN)
    assert merged.history(key_of(target)) == whole
    # Written again by another delivery, with its own token: lists hold each element once.
    merged.write(key_of(target), made, now=NOW, timestamp=TOKEN + 5)
    assert merged.history(key_of(target)) == whole
    updated = read(gateway, tables.activity_agg, ("Course", "do_1", target, "cb:b1"), "agg_last_updated")
    assert updated == {"agg_last_updated": {"completedCount": NOW}}


def test_two_accounts_are_read_at_once(gateway: Gateway, tables: JobTables, merged: MergedRows) -> None:
    source, target = user(), user()
    figures: dict[str, dict[str, float]] = {
        "agg": {"completedCount": 7, "old": 1},
        "aggregates": {"completedCount": 5.0, "score:do_r1": 3.0},
    }
    write(
        gateway,
        put(tables.enrolments, (source, "do_1", "b1"), status=1),
        put(tables.enrolments, (target, "do_2", "b2"), status=0),
        put(tables.content_consumption, (source, "do_3", "b3", "do_r1"), status=1),
        put(tables.content_consumption, (target, "do_1", "b1", "do_r1"), status=2),
        put(tables.content_consumption, (target, "do_1", "b1", "do_r2"), status=2),
        put(tables.assessments, (target, "do_3", "b3", "do_r1", "a1"), total_score=1.0),
        *(
            PutMap(table=tables.activity_agg, key=("Course", course, source, context), column=column, entries=entries)
            for course, context in (("do_1", "cb:b1"), ("do_1", "cb:b9"), ("do_1", "other"), ("do_3", "cb:b3"))
            for column, entries in figures.items()
        ),
    )
    count = {"completedCount": 5.0, "old": 1.0, "score:do_r1": 3.0}
    mine, theirs = merged.accounts(source, target)
    assert mine == {
        ("do_1", "b1"): EnrolmentHistory(enrolment={"status": 1}, figures=count),
        ("do_1", "b9"): EnrolmentHistory(figures=count),
        # The source is not enrolled here, so its figures are passed over.
        ("do_3", "b3"): EnrolmentHistory(contents={"do_r1": {"status": 1}}),
    }
    assert theirs == {
        ("do_1", "b1"): EnrolmentHistory(contents={"do_r1": {"status": 2}, "do_r2": {"status": 2}}),
        ("do_2", "b2"): EnrolmentHistory(enrolment={"status": 0}),
        ("do_3", "b3"): EnrolmentHistory(attempts={("do_r1", "a1"): {"total_score": 1.0}}),
    }
    assert merged.enrolled(target) == [("do_2", "b2")]
    assert merged.accounts(user(), user()) == ({}, {})


def test_without_attempts_their_table_need_not_be_there(gateway: Gateway, tables: JobTables) -> None:
    nowhere = tables.assessments.renamed(keyspace=tables.assessments.keyspace, name="no_such_table")
    gateway.create([tables.content_consumption, tables.enrolments, tables.activity_agg])
    merged = MergedRows.open(gateway, replace(tables, assessments=nowhere), attempts=False)
    mine = user()
    write(gateway, put(tables.enrolments, (mine, *PLACE), status=1))
    assert merged.history(key_of(mine)) == EnrolmentHistory(enrolment={"status": 1})


@pytest.mark.stack
def test_columns_that_an_installation_lacks_are_passed_over(
    cassandra_gateway: Gateway, cassandra_server: Server, cassandra_keyspace: str
) -> None:
    tables = tables_in(cassandra_keyspace)
    full = tables.enrolments.renamed(keyspace=cassandra_keyspace, name="old_enrolments")
    old = replace(full, columns={name: kind for name, kind in full.columns.items() if name not in full.optional})
    cassandra_gateway.create([old])
    # A gateway of its own: the other may have looked at the keyspace before the table was there.
    with closing(CassandraGateway(cassandra_settings(cassandra_server.address))) as fresh:
        merged = MergedRows.open(fresh, replace(tables, enrolments=full), attempts=False)
        _copies_what_there_is(fresh, merged, old)


def _copies_what_there_is(gateway: Gateway, merged: MergedRows, old: Table) -> None:
    source, target = user(), user()
    row = {name: value for name, value in ENROLMENT.items() if name in old.columns}
    write(gateway, *cells(old, (source, *PLACE), row))
    found = merged.history(key_of(source)).enrolment
    assert found == row
    made = plan(copying=True, enrolment=found)
    merged.write(key_of(target), made, now=NOW, timestamp=TOKEN)
    assert merged.history(key_of(target)).enrolment == row


class Blind:
    """A gateway that does not see a table which is there."""

    def present(self, table: Table) -> frozenset[str]:
        return frozenset()


def test_a_table_that_is_not_seen_is_no_account_without_rows() -> None:
    with pytest.raises(SchemaMismatch, match="user_content_consumption"):
        MergedRows.open(Blind(), JobTables(), attempts=False)  # type: ignore[arg-type]


def test_a_column_without_value_stays_unset(gateway: Gateway, tables: JobTables, merged: MergedRows) -> None:
    target = user()
    write(gateway, put(tables.content_consumption, (target, *PLACE, "do_r1"), timestamp=TOKEN - 1, progress=40))
    made = plan(contents={"do_r1": content(status=2)})
    merged.write(key_of(target), made, now=NOW, timestamp=TOKEN)
    assert merged.history(key_of(target)).contents == {"do_r1": {"status": 2, "progress": 40}}


def test_a_late_write_loses(gateway: Gateway, tables: JobTables, merged: MergedRows) -> None:
    target = user()
    write(gateway, put(tables.content_consumption, (target, *PLACE, "do_r1"), timestamp=TOKEN + 1, status=2))
    made = plan(contents={"do_r1": content(status=1, viewcount=3)})
    merged.write(key_of(target), made, now=NOW, timestamp=TOKEN)
    assert merged.history(key_of(target)).contents == {"do_r1": {"status": 2, "viewcount": 3}}


def test_the_ledger_says_what_was_begun_and_what_is_done(ledger: MergeLedger) -> None:
    pair = (user(), user())
    entry = LedgerEntry(added=Amounts(views=3, completions=1), intended=Amounts(views=5, completions=1), done=False)
    made = plan(contents={"do_r1": content(entry), "do_r2": content(status=1)}, copying=True)
    assert ledger.read(pair) == {}
    ledger.write_ahead(pair, PLACE, made, timestamp=TOKEN)
    begun = LedgerEntries(contents={"do_r1": entry}, copied=False)
    assert ledger.read(pair) == {PLACE: begun}
    ledger.write_ahead(pair, ("do_2", "b1"), plan(copying=True), timestamp=TOKEN)
    ledger.mark_done(pair, PLACE, made, timestamp=TOKEN + 1)
    done = LedgerEntries(contents={"do_r1": replace(entry, done=True)}, copied=True)
    assert ledger.read(pair) == {PLACE: done, ("do_2", "b1"): LedgerEntries(copied=False)}
    assert ledger.read(pair, PLACE) == {PLACE: done}
    assert ledger.read((pair[1], pair[0])) == {}
    # A worker that was stopped before its rows wakes up: what a later one noted down stands.
    ledger.write_ahead(pair, PLACE, made, timestamp=TOKEN)
    assert ledger.read(pair, PLACE) == {PLACE: done}


def test_a_content_without_id_does_not_hide_the_enrolment(ledger: MergeLedger) -> None:
    pair = (user(), user())
    entry = LedgerEntry(added=Amounts(views=3), intended=Amounts(views=3), done=False)
    ledger.write_ahead(pair, PLACE, plan(contents={"": content(entry)}, copying=True), timestamp=TOKEN)
    ledger.mark_done(pair, PLACE, plan(contents={"": content(entry)}), timestamp=TOKEN + 1)
    assert ledger.read(pair) == {PLACE: LedgerEntries(contents={"": replace(entry, done=True)}, copied=False)}


def test_an_id_that_no_row_can_have_is_refused(merged: MergedRows, ledger: MergeLedger) -> None:
    with pytest.raises(InvalidEvent):
        merged.accounts("x" * 70_000, "u")
    with pytest.raises(InvalidEvent):
        ledger.read(("x" * 70_000, "u"))
