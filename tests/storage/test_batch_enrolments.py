"""Finding the enrolments of a batch, by scan and in the copy by batch; the same on SQLite and on Cassandra."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lern_tasks.errors import InvalidEvent
from lern_tasks.settings import Settings
from lern_tasks.storage.gateway import Gateway, PutCells
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.batch_enrolments import BatchEnrolments
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.enrolments import row_key
from lern_tasks.sunbird.table_names import JobTables, for_job
from tests.storage.gateways import put, write


@pytest.fixture
def own(gateway: Gateway, tables: JobTables) -> JobTables:
    """Tables of this test's own: a scan reads all of one."""
    suffix = uuid.uuid4().hex[:12]

    def named(table: Table) -> Table:
        return table.renamed(keyspace=tables.enrolments.keyspace, name=f"{table.name}_{suffix}")

    copy = named(tables.report_enrolments)  # with a column more than we read, as installations have it
    own = replace(
        tables,
        enrolments=named(tables.enrolments),
        report_enrolments=replace(copy, columns={**copy.columns, "active": "boolean"}),
    )
    gateway.create([own.enrolments, own.report_enrolments])
    return own


def copy_of(own: JobTables, key: EnrolmentKey) -> PutCells:
    return put(own.report_enrolments, (key.batch_id, key.course_id, key.user_id), active=True)


def enrolment(user: int, course: str = "do_1", batch: str = "b1") -> EnrolmentKey:
    return EnrolmentKey(user_id=f'u"{user}', course_id=course, batch_id=batch)


def everything(look_up: BatchEnrolments, **asked: Any) -> Iterator[tuple[EnrolmentKey, Any]]:
    """Page by page, each by a fresh object, as in another process."""
    after = None
    while True:
        page = replace(look_up).page(**asked, after=after)
        yield from page.found.items()
        if page.after is None:
            assert page.done == 1.0
            return
        assert 0 <= page.done <= 1
        after = page.after


OF_BATCH = {enrolment(user) for user in range(30)}
OTHERS = {enrolment(user, *place) for user in range(20) for place in [("do_1", "b2"), ("do_2", "b1")]}


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_a_batch_is_found_among_all_enrolments(gateway: Gateway, own: JobTables, limit: int) -> None:
    write(gateway, *(put(own.enrolments, row_key(key), active=True) for key in OF_BATCH | OTHERS))
    look_up = BatchEnrolments(gateway=gateway, tables=own)
    found = list(everything(look_up, course_id="do_1", batch_id="b1", limit=limit))
    assert len(found) == len(OF_BATCH)
    assert dict(found) == {key: {} for key in OF_BATCH}


def test_all_enrolments_with_their_columns(gateway: Gateway, own: JobTables) -> None:
    write(
        gateway,
        *(put(own.enrolments, row_key(key), status=2 if key in OF_BATCH else 1) for key in OF_BATCH | OTHERS),
    )
    look_up = BatchEnrolments(gateway=gateway, tables=own, use_copy=True)
    found = dict(everything(look_up, columns=["status", "userid", "completedon"], limit=10))
    assert set(found) == OF_BATCH | OTHERS
    for key, row in found.items():
        assert row == {"status": 2 if key in OF_BATCH else 1, "userid": key.user_id, "completedon": None}
    of_course = everything(look_up, course_id="do_2", limit=10)
    assert {key for key, _ in of_course} == {key for key in OTHERS if key.course_id == "do_2"}


@pytest.mark.parametrize("limit", [1, 10, 1000])
def test_the_copy_is_read_by_batch_when_the_setting_allows_it(gateway: Gateway, own: JobTables, limit: int) -> None:
    stale = enrolment(999)
    write(gateway, *(copy_of(own, key) for key in OF_BATCH | OTHERS | {stale}))
    write(gateway, *(put(own.enrolments, row_key(key), active=True) for key in OF_BATCH))
    look_up = BatchEnrolments(gateway=gateway, tables=own, use_copy=True)
    asked: dict[str, Any] = {"course_id": "do_1", "batch_id": "b1", "limit": limit}
    found = list(everything(look_up, **asked))
    assert len(found) == len(OF_BATCH) + 1
    assert dict(found) == {key: {} for key in OF_BATCH | {stale}}
    assert dict(everything(replace(look_up, use_copy=False), **asked)) == {key: {} for key in OF_BATCH}
    # The copy has no status.
    assert {key for key, _ in everything(look_up, columns=["status"], **asked)} == OF_BATCH


def test_a_place_in_the_copy_is_no_place_in_the_table(gateway: Gateway, own: JobTables) -> None:
    """The setting changed between two pages: the scan begins at the start, and finds some again."""
    write(gateway, *(copy_of(own, key) for key in OF_BATCH))
    write(gateway, *(put(own.enrolments, row_key(key), active=True) for key in OF_BATCH))
    look_up = BatchEnrolments(gateway=gateway, tables=own, use_copy=True)
    first = look_up.page(course_id="do_1", batch_id="b1", limit=10)
    rest = replace(look_up, use_copy=False).page(course_id="do_1", batch_id="b1", limit=1000, after=first.after)
    assert set(rest.found) == OF_BATCH
    # And a scan that has begun goes on as one.
    first = replace(look_up, use_copy=False).page(course_id="do_1", batch_id="b1", limit=10)
    rest = look_up.page(course_id="do_1", batch_id="b1", limit=1000, after=first.after)
    assert set(first.found) | set(rest.found) == OF_BATCH
    assert not set(first.found) & set(rest.found)


@pytest.mark.stack
@pytest.mark.parametrize("kind", ["cassandra"])
@pytest.mark.parametrize("copy", ["missing", "another key", "no column"])
def test_without_a_copy_of_that_form_the_enrolments_are_read(
    gateway: Gateway, own: JobTables, kind: str, copy: str
) -> None:
    other = own.report_enrolments.renamed(keyspace=own.enrolments.keyspace, name=f"other_{uuid.uuid4().hex[:12]}")
    if copy == "another key":
        gateway.create([replace(other, partition=("userid",), clustering=("courseid", "batchid"))])
    elif copy == "no column":
        columns = {name: type_ for name, type_ in other.columns.items() if name != "userid"}
        gateway.create([replace(other, columns=columns, clustering=("courseid",))])
    write(gateway, *(put(own.enrolments, row_key(key), active=True) for key in OF_BATCH | OTHERS))
    look_up = BatchEnrolments(gateway=gateway, tables=replace(own, report_enrolments=other), use_copy=True)
    found = dict(everything(look_up, course_id="do_1", batch_id="b1", limit=10))
    assert found == {key: {} for key in OF_BATCH}


def test_an_id_that_no_row_can_have(gateway: Gateway, own: JobTables) -> None:
    look_up = BatchEnrolments(gateway=gateway, tables=own, use_copy=True)
    with pytest.raises(InvalidEvent, match="courseid"):
        look_up.page(course_id="half a \ud800 character", batch_id="b1", limit=10)


def test_the_copy_is_beside_the_enrolments() -> None:
    settings = Settings.model_validate({"enrolment_reconciliation": {"lms_cassandra_keyspace": "lms"}})
    assert for_job(settings, "enrolment_reconciliation").report_enrolments.full_name == "lms.report_user_enrolments"
