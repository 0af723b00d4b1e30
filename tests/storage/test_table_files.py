"""Each table's file: rows to values, updates to mutations; the same on SQLite and on Cassandra. See docs/jobs/."""

import time
import uuid
from datetime import UTC, datetime

import pytest

from lern_tasks.errors import InvalidEvent, LernError
from lern_tasks.jobs.certificates.batch_templates import BatchTemplates
from lern_tasks.jobs.certificates.follow_up.old_registry_rows import OldRegistryRows
from lern_tasks.jobs.progress.content_consumption import ContentConsumption
from lern_tasks.jobs.progress.rows import ProgressRows
from lern_tasks.jobs.progress.rules.content_counts import Counts, MergedContent, StoredContent
from lern_tasks.jobs.progress.rules.decision import ProgressDecision
from lern_tasks.jobs.progress.rules.enrolment_row import EnrolmentUpdate, StoredEnrolment
from lern_tasks.jobs.progress.rules.progress import Progress
from lern_tasks.jobs.relations.hierarchies import Hierarchies
from lern_tasks.storage.gateway import Gateway, Mutation, PutMap, ReplaceCollection
from lern_tasks.sunbird import activity_aggregates, enrolments
from lern_tasks.sunbird.activity_aggregates import ActivityAggregates
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.enrolments import Enrolments
from lern_tasks.sunbird.table_names import JobTables
from tests.storage.gateways import cell, put, read, write

NOW = datetime(2026, 11, 21, 10, 30, 15, 123_000, tzinfo=UTC)
EARLIER = datetime(2026, 11, 1, tzinfo=UTC)
TOKEN = time.time_ns() // 1000 + 3_600_000_000
"""In an hour: a write time later than that of rows written without one."""

BLANK = EnrolmentKey(user_id="", course_id="do_1", batch_id="b1")


def enrolment(course_id: str = "do_1", batch_id: str = "b1") -> EnrolmentKey:
    return EnrolmentKey(user_id=uuid.uuid4().hex, course_id=course_id, batch_id=batch_id)


def content(content_id: str, *, changed: bool, view: int = 1, completed: int = 1) -> MergedContent:
    counts = Counts(view=view, completed=completed)
    return MergedContent(
        content_id=content_id, status=2, counts=counts, counts_changed=changed, actions=(), pending=None
    )


def update(**content_status: int) -> EnrolmentUpdate:
    return EnrolmentUpdate(
        status=1, progress=1, content_status=content_status, completed_on=None, newly_completed=False
    )


def rows(gateway: Gateway, tables: JobTables) -> ProgressRows:
    return ProgressRows("activity_aggregate_updater", gateway, tables, batch_size=10)


def changes(
    rows: ProgressRows,
    key: EnrolmentKey,
    *,
    now: datetime,
    timestamp: int,
    update: EnrolmentUpdate | None = None,
    progress: Progress | None = None,
) -> list[Mutation]:
    """What a decision on an enrolment without contents writes."""
    decision = ProgressDecision(
        key=key,
        merged={},
        progress=progress,
        update=update,
        certificate=False,
        content_audits=(),
        completion_audit=False,
    )
    return rows.changes(decision, now=now, timestamp=timestamp)


def test_contents_of_an_enrolment_are_read_without_its_neighbours(gateway: Gateway, tables: JobTables) -> None:
    table, key = tables.content_consumption, enrolment()
    row = (key.user_id, key.course_id, key.batch_id)
    other = EnrolmentKey(user_id=key.user_id, course_id=key.course_id, batch_id="b2")
    write(
        gateway,
        put(table, (*row, "do_r1"), status=2, viewcount=3, completedcount=1),
        put(table, (*row, "do_r2"), viewcount=1),
        put(table, (key.user_id, "do_1", "b2", "do_r9"), status=1),
    )
    found = ContentConsumption(gateway, table).read([key, other, enrolment(), BLANK])
    assert found[key] == {
        "do_r1": StoredContent(status=2, view_count=3, completed_count=1),
        "do_r2": StoredContent(status=None, view_count=1, completed_count=None),
    }
    assert found[other] == {"do_r9": StoredContent(status=1, view_count=None, completed_count=None)}
    assert list(found.values())[2] == {}
    assert isinstance(found[BLANK], InvalidEvent)


def test_only_counters_that_changed_are_written_and_nothing_else_of_the_row(
    gateway: Gateway, tables: JobTables
) -> None:
    table, key = tables.content_consumption, enrolment()
    row = (key.user_id, key.course_id, key.batch_id)
    write(gateway, put(table, (*row, "do_r1"), status=1, viewcount=3))
    merged = {name: content(name, changed=name != "do_r3", view=4) for name in ("do_r1", "do_r2", "do_r3")}
    write(gateway, *ContentConsumption(gateway, table).put_counts(key, merged, timestamp=TOKEN))
    assert ContentConsumption(gateway, table).read([key])[key] == {
        "do_r1": StoredContent(status=1, view_count=4, completed_count=1),
        "do_r2": StoredContent(status=None, view_count=4, completed_count=1),
    }


def test_enrolments_are_read_as_they_are_and_absent_ones_do_not_exist(gateway: Gateway, tables: JobTables) -> None:
    table, there, absent = tables.enrolments, enrolment(), enrolment()
    row = enrolments.row_key(there)
    issued = [{"name": "Course", "identifier": "c-1"}, {"token": "without a name"}]
    write(
        gateway,
        put(table, row, active=True, status=2, completedon=EARLIER),
        ReplaceCollection(table=table, key=row, column="issued_certificates", value=issued),
    )
    found = rows(gateway, tables).read_enrolments([there, absent, BLANK])
    assert found[there] == StoredEnrolment(
        exists=True, active=True, status=2, completed_on=EARLIER, issued_names=("Course", "")
    )
    assert found[absent] == StoredEnrolment(exists=False, active=None, status=None, completed_on=None, issued_names=())
    assert isinstance(found[BLANK], InvalidEvent)


def test_progress_replaces_the_statuses_of_contents_and_leaves_the_rest(gateway: Gateway, tables: JobTables) -> None:
    table, key = tables.enrolments, enrolment()
    row = enrolments.row_key(key)
    write(gateway, put(table, row, active=True, completedon=EARLIER, addedby="somebody"))
    write(gateway, *changes(rows(gateway, tables), key, update=update(do_r1=2, do_r2=1), now=EARLIER, timestamp=TOKEN))
    write(gateway, *changes(rows(gateway, tables), key, update=update(do_r1=2), now=NOW, timestamp=TOKEN + 10))
    columns = ("active", "status", "progress", "contentstatus", "datetime", "completedon", "addedby")
    assert read(gateway, table, row, *columns) == {
        "active": True,
        "status": 1,
        "progress": 1,
        "contentstatus": {"do_r1": 2},
        "datetime": NOW,
        "completedon": EARLIER,
        "addedby": "somebody",
    }


def test_a_completion_writes_its_time_and_a_stale_writer_changes_nothing(gateway: Gateway, tables: JobTables) -> None:
    table, key = tables.enrolments, enrolment()
    done = EnrolmentUpdate(
        status=2, progress=2, content_status={"do_r1": 2, "do_r2": 2}, completed_on=NOW, newly_completed=True
    )
    write(gateway, *changes(rows(gateway, tables), key, update=done, now=NOW, timestamp=TOKEN))
    write(gateway, *changes(rows(gateway, tables), key, update=update(do_r3=1), now=EARLIER, timestamp=TOKEN - 1_000))
    columns = ("status", "progress", "contentstatus", "datetime", "completedon")
    assert read(gateway, table, enrolments.row_key(key), *columns) == {
        "status": 2,
        "progress": 2,
        "contentstatus": {"do_r1": 2, "do_r2": 2},
        "datetime": NOW,
        "completedon": NOW,
    }


def test_certificates_are_replaced_as_a_whole(gateway: Gateway, tables: JobTables) -> None:
    table, key = tables.enrolments, enrolment()
    first, second = {"name": "A", "identifier": "1"}, {"name": "B", "identifier": "2"}
    write(gateway, Enrolments(gateway, table).replace_certificates(key, [first], timestamp=TOKEN))
    write(gateway, Enrolments(gateway, table).replace_certificates(key, [first, second], timestamp=TOKEN + 10))
    write(gateway, Enrolments(gateway, table).replace_certificates(key, [second], timestamp=TOKEN + 5))
    assert cell(gateway, table, enrolments.row_key(key), "issued_certificates") == [first, second]


def test_rows_of_enrolments_with_any_columns(gateway: Gateway, tables: JobTables) -> None:
    key, absent = enrolment(), enrolment()
    write(gateway, put(tables.enrolments, enrolments.row_key(key), enrolled_date=EARLIER, progress=3))
    found = Enrolments(gateway, tables.enrolments).read_rows([key, absent], ["enrolled_date", "enrolleddate", "userid"])
    assert found == {key: {"enrolled_date": EARLIER, "enrolleddate": None, "userid": key.user_id}, absent: None}


def test_completed_counts_join_what_others_put_into_the_maps(gateway: Gateway, tables: JobTables) -> None:
    table, key = tables.activity_agg, enrolment()
    course = ("Course", "do_1", key.user_id, "cb:b1")
    assert activity_aggregates.row_key(key, "do_1") == course
    write(
        gateway,
        PutMap(table=table, key=course, column="aggregates", entries={"score:do_a": 3.5}),
        PutMap(table=table, key=course, column="agg", entries={"completedCount": 1, "old": 4}),
    )
    progress = Progress(completed=2, required=3, complete=False, units={"do_u1": 1}, content_status={})
    write(gateway, *changes(rows(gateway, tables), key, progress=progress, now=NOW, timestamp=TOKEN))
    assert read(gateway, table, course, "aggregates", "agg_last_updated") == {
        "aggregates": {"score:do_a": 3.5, "completedCount": 2.0},
        "agg_last_updated": {"completedCount": NOW},
    }
    unit = activity_aggregates.row_key(key, "do_u1")
    assert cell(gateway, table, unit, "aggregates") == {"completedCount": 1.0}
    absent = enrolment()
    figures = ActivityAggregates(gateway, table).read_figures([key, absent, BLANK])
    assert figures[key] == {"old": 4.0, "score:do_a": 3.5, "completedCount": 2.0}
    assert figures[absent] == {}
    assert isinstance(figures[BLANK], LernError)


def test_templates_of_batches(gateway: Gateway, tables: JobTables) -> None:
    table, course = tables.course_batch, uuid.uuid4().hex
    templates = {"template_01": {"name": "Course", "criteria": '{"enrollment":{"status":2}}', "url": "https://x/y.svg"}}
    write(
        gateway,
        ReplaceCollection(table=table, key=(course, "b1"), column="cert_templates", value=templates),
        ReplaceCollection(table=table, key=(course, "b2"), column="cert_templates", value={}),
    )
    batches = [(course, "b1"), (course, "b2"), (course, "b3"), ("", "b1")]
    found = BatchTemplates(gateway, table).read(batches)
    assert [found[batch] for batch in batches[:3]] == [templates, {}, {}]
    assert isinstance(found["", "b1"], InvalidEvent)


def test_trees_of_collections(gateway: Gateway, tables: JobTables) -> None:
    table, root, bare = tables.content_hierarchy, uuid.uuid4().hex, uuid.uuid4().hex
    write(gateway, put(table, (root,), hierarchy='{"identifier": "do_1"}'))
    found = Hierarchies(gateway, table).read([root, bare, ""])
    assert (found[root], found[bare]) == ('{"identifier": "do_1"}', None)
    assert isinstance(found[""], InvalidEvent)


def test_an_old_certificate_is_deleted_by_its_id(gateway: Gateway, tables: JobTables) -> None:
    table, one, other = tables.cert_registry, uuid.uuid4().hex, uuid.uuid4().hex
    write(gateway, put(table, (one,), recipient="{}", isrevoked=False), put(table, (other,), recipient="{}"))
    rows = OldRegistryRows(gateway, table)
    rows.delete(one)
    rows.delete(one)
    assert read(gateway, table, (one,), "isrevoked") is None
    assert read(gateway, table, (other,), "isrevoked") == {"isrevoked": None}
    with pytest.raises(InvalidEvent):
        rows.delete("")
