"""Merges of accounts, and what is stored before they come."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final

from lern_tasks.jobs.accounts.rules.merge import BatchKey
from lern_tasks.storage.gateway import PutMap
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ACTIVITY_AGG, ASSESSMENTS, CONTENT_CONSUMPTION, ENROLMENTS, MERGE_LEDGER
from tests.harness.course import publish
from tests.harness.crash_injection import Life
from tests.harness.golden import UUID, Like
from tests.harness.in_process import NOW_MS, Chain
from tests.jobs.relations.rules.trees import content, course

JOB: Final = "merge_user_courses"
OLD, NEW = "u-old", "u-new"
SHARED, COPIED, INACTIVE, OWN, LOOSE = (
    ("do_c1", "b1"),
    ("do_c2", "b2"),
    ("do_c3", "b3"),
    ("do_c4", "b4"),
    ("do_c5", "b5"),
)
EARLY, LATE = datetime(2023, 11, 14, 10, tzinfo=UTC), datetime(2023, 11, 15, 8, tzinfo=UTC)
CERTIFICATE = {"name": "Merit", "identifier": "c9", "token": "", "lastIssuedOn": "2023-11-14T10:00:00.000+0000"}


def _told(action: str, **edata: Any) -> dict[str, Any]:
    ids = {"batchId": "b1", "userId": "u-new", "courseId": "do_c1"}
    return {
        "eid": "BE_JOB_REQUEST",
        "ets": NOW_MS,
        "mid": Like(rf"LP\.{NOW_MS}\.{UUID}"),
        "actor": {"id": "Course Batch Updater", "type": "System"},
        "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}},
        "object": {"id": "b1_u-new", "type": "CourseBatchEnrolment"},
        "edata": {"action": action, "iteration": 1, **ids, **edata},
    }


MERGED = _told("batch-enrolment-sync", reset=["completionPercentage", "status", "progress"], reconciled=True)
RECONCILE = _told("user-enrolment-sync")
RECOMPUTE = {"assessmentTs": NOW_MS, "batchId": "b1", "courseId": "do_c1", "userId": "u-new", "contentId": "r1"}


class Meanwhile(Life):
    """A process that lives, while other things happen, each once: before an effect for which `when` holds."""

    def __init__(self, *things: tuple[Callable[[str, int], bool], Callable[[], object]]) -> None:
        super().__init__()
        self._things = list(things)

    def effect(self, name: str) -> None:
        due = [thing for thing in self._things if thing[0](name, len(self.effects) + 1)]
        for thing in due:
            if thing in self._things:
                self._things.remove(thing)
                thing[1]()
        super().effect(name)


def merge(source: str = OLD, target: str = NEW, **edata: Any) -> dict[str, Any]:
    """The event of merged accounts, some of its data replaced; None leaves a field out."""
    data = {
        "action": "merge-user-courses-and-cert",
        "fromAccountId": source,
        "toAccountId": target,
        "rootOrgId": "0123",
        "iteration": 1,
        **edata,
    }
    return {"eid": "BE_JOB_REQUEST", "edata": {name: value for name, value in data.items() if value is not None}}


def run(chain: Chain, *sources: str, **changes: Any) -> dict[str, int]:
    """Deliver a merge of each source into the new account, and then all that follows; the last one's counts."""
    counts: dict[str, int] = {}
    for source in sources or (OLD,):
        counts = chain.run(JOB, chain.record(merge(source), **changes))
    return {name: number for name, number in counts.items() if number}


def enrolled(chain: Chain, user: str, place: BatchKey, **cells: Any) -> None:
    """Store an enrolment."""
    chain.put(ENROLMENTS, (user, *place), **{"active": True, "status": 0, "enrolled_date": EARLY, **cells})


def used(chain: Chain, user: str, place: BatchKey, content_id: str, **cells: Any) -> None:
    """Store what a learner did with a content."""
    chain.put(CONTENT_CONSUMPTION, (user, *place, content_id), **cells)


def figured(chain: Chain, user: str, place: BatchKey, **columns: Mapping[str, Any]) -> None:
    """Store entries of a course's figures."""
    key = ("Course", place[0], user, f"cb:{place[1]}")
    changes = [PutMap(table=ACTIVITY_AGG, key=key, column=name, entries=value) for name, value in columns.items()]
    assert not any(chain.store.apply(changes))


def attempted(chain: Chain, user: str, place: BatchKey, content_id: str, attempt: str, **cells: Any) -> None:
    """Store an attempt of an assessment."""
    row = {"last_attempted_on": EARLY, "created_on": EARLY, "total_score": 1.0, "total_max_score": 2.0, **cells}
    chain.put(ASSESSMENTS, (user, *place, content_id, attempt), **row)


def publish_courses(chain: Chain) -> None:
    """Publish the courses that have contents."""
    publish(chain)
    publish(chain, {**course(content("r9"), leafNodes=["r9"]), "identifier": "do_c2"})


def prepare(chain: Chain) -> None:
    """Two accounts: a batch of both, two of the source alone, one of the target alone, a content without enrolment."""
    publish_courses(chain)
    enrolled(chain, OLD, SHARED, status=1, progress=2)
    enrolled(chain, NEW, SHARED, status=1, progress=1)
    used(chain, OLD, SHARED, "r1", status=2, progress=100, viewcount=3, completedcount=1, last_access_time=EARLY)
    used(chain, NEW, SHARED, "r1", status=1, progress=40, viewcount=2, last_access_time=LATE)
    used(chain, OLD, SHARED, "r2", status=2, lastaccesstime="2023-05-09 12:05:04:123+0530")
    used(chain, NEW, SHARED, "r3", status=2, viewcount=1, completedcount=1)
    figured(chain, OLD, SHARED, aggregates={"completedCount": 2.0, "score:r1": 3.0, "max_score:r1": 5.0})
    figured(chain, NEW, SHARED, aggregates={"completedCount": 1.0, "score:r3": 9.0, "max_score:r3": 10.0})
    chain.put(ACTIVITY_AGG, ("Course", "do_c1", NEW, "cb:b1"), agg_details=["t1", "t2"])
    chain.put(ACTIVITY_AGG, ("Course", "do_c1", OLD, "cb:b1"), agg_details=["s1"])
    enrolled(
        chain,
        OLD,
        COPIED,
        status=2,
        progress=1,
        completedon=EARLY,
        contentstatus={"r9": 2},
        issued_certificates=[CERTIFICATE],
        certificates=[{"id": "c0"}],
        lastreadcontentid="r9",
    )
    used(chain, OLD, COPIED, "r9", status=2, viewcount=4, completedcount=2, progressdetails='{"p":9}')
    figured(chain, OLD, COPIED, aggregates={"completedCount": 1.0})
    enrolled(chain, OLD, INACTIVE, active=False)
    enrolled(chain, NEW, OWN)
    used(chain, NEW, OWN, "r1", status=1)
    used(chain, OLD, LOOSE, "r1", status=1, viewcount=1)


def account(chain: Chain, user: str) -> dict[str, Any]:
    """All rows of an account. Times of writing are left out: they are those of the test's clock."""
    figures = {}
    for place in (SHARED, COPIED, INACTIVE, OWN, LOOSE):
        row = chain.row(ACTIVITY_AGG, ("Course", place[0], user, f"cb:{place[1]}"))
        figures[place] = {name: row[name] for name in ("agg", "aggregates", "agg_details") if name in row}
    return {
        "contents": chain.rows(CONTENT_CONSUMPTION, (user,)),
        "enrolments": [
            {name: value for name, value in row.items() if name not in ("datetime", "completedon")}
            | {"complete": "completedon" in row}
            for row in chain.rows(ENROLMENTS, (user,))
        ],
        "figures": figures,
        "attempts": [row for place in (SHARED, COPIED) for row in chain.rows(ASSESSMENTS, (user, *place))],
    }


def cells(chain: Chain, user: str) -> list[Any]:
    """Every stored cell of an account with its write time, byte for byte; of the platform's tables alone."""
    with closing(sqlite3.connect(chain.directory / "store.sqlite")) as connection:
        found = connection.execute(
            "SELECT * FROM cells WHERE instr(key, ?) AND name != ? ORDER BY name, key, col, entry",
            (f'"{user}"', MERGE_LEDGER.full_name),
        )
        return found.fetchall()


def undone(chain: Chain, source: str = OLD, target: str = NEW) -> list[dict[str, Any]]:
    """The rows of the ledger that are not marked as done."""
    rows = chain.rows(MERGE_LEDGER, (source, target))
    return [row for row in rows if row.get("done") is False or row.get("enrolment_copied") is False]


def place_of(event: Mapping[str, Any]) -> BatchKey:
    """The course and batch that an event is about."""
    return event["edata"]["courseId"], event["edata"]["batchId"]


def reconciled(chain: Chain) -> list[BatchKey]:
    """The enrolments that were handed on to reconciliation."""
    return [place_of(event) for event in chain.sent_events("enrolment_reconciliation")]


def published(chain: Chain) -> list[BatchKey]:
    """The enrolments about which the documented event was published."""
    return [place_of(event) for event in chain.events("coursebatch.job.request")]


def key_of(place: BatchKey, user: str = NEW) -> EnrolmentKey:
    """An account's enrolment."""
    return EnrolmentKey(user_id=user, course_id=place[0], batch_id=place[1])
