"""Attempts and scores in their tables: the same on SQLite and on Cassandra, with both keys that installations have."""

import time
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest

from lern_tasks.errors import InvalidEvent, LernError
from lern_tasks.jobs.assessments.attempts import Attempts, row_key
from lern_tasks.jobs.assessments.rules.attempt import AttemptId, StoredAttempt, Submission, Write
from lern_tasks.jobs.assessments.rules.score import Answer, score_of
from lern_tasks.jobs.assessments.rules.summary import Summary, summarise
from lern_tasks.jobs.assessments.scores import Scores
from lern_tasks.storage.gateway import Gateway, PutMap, Row
from lern_tasks.storage.table import Table
from lern_tasks.sunbird import activity_aggregates
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.table_names import JobTables
from tests.jobs.assessments.rules.attempts import at, stored
from tests.storage.gateways import put, read, write

NOW = at(1_800_000_000_123)
EARLIER = at(1_700_000_000_000)
TOKEN = time.time_ns() // 1000 + 3_600_000_000
"""In an hour: a write time later than that of rows written without one."""

A1, A2, B1 = (AttemptId(content_id=c, attempt_id=a) for c, a in (("do_a", "1"), ("do_a", "2"), ("do_b", "1")))


@pytest.fixture(params=["of the learner", "of the course"])
def table(request: pytest.FixtureRequest, gateway: Gateway, tables: JobTables) -> Table:
    """The table, with the newer key and with the older one."""
    newer = tables.assessments
    made = newer
    if request.param == "of the course":
        ((partition, clustering),) = newer.other_keys
        older = replace(newer, name="assessments_of_courses", partition=partition, clustering=clustering, other_keys=())
        # The jobs go on declaring the newer key, whatever the installation has.
        gateway.create([older])
        made = newer.renamed(keyspace=newer.keyspace, name=older.name)
    else:
        gateway.create([newer])
    return made


def enrolment(batch_id: str = "b1") -> EnrolmentKey:
    return EnrolmentKey(user_id=uuid.uuid4().hex, course_id=uuid.uuid4().hex, batch_id=batch_id)


def answer(question: str | None = "q1", score: float = 1.5, **fields: object) -> Answer:
    values = {
        "question_id": question,
        "answered_at": EARLIER,
        "score": score,
        "max_score": 2.0,
        "duration": Decimal("7.0"),
        **fields,
    }
    return Answer(**values)  # type: ignore[arg-type]


def attempt(identity: AttemptId, *answers: Answer, ts: int = 0, created: bool = True) -> Write:
    made = Submission(id=identity, attempted_on=at(1_700_000_000_000 + ts), answers=answers, score=score_of(answers))
    return Write(submission=made, created_on=NOW if created else None)


def row_of(gateway: Gateway, table: Table, key: EnrolmentKey, identity: AttemptId = A1) -> Row | None:
    return read(gateway, table, row_key(key, identity), *list(table.columns))


def found(gateway: Gateway, table: Table, key: EnrolmentKey) -> dict[AttemptId, StoredAttempt]:
    attempts = Attempts(gateway, table).read([key])[key]
    assert not isinstance(attempts, LernError), attempts
    return attempts


def test_a_whole_attempt(gateway: Gateway, table: Table) -> None:
    key = enrolment()
    whole = answer(kind="mcq", title="é?", description="", values=[{"1": "{}"}, {}], params=[{"a": "b", "c": "d"}])
    write(gateway, Attempts(gateway, table).put(key, attempt(A1, whole, answer(None, 1.0)), now=NOW, timestamp=TOKEN))
    row = row_of(gateway, table, key)
    assert row is not None
    bare = {"title": None, "type": None, "description": None, "id": None, "score": 1.0}
    question = {
        "id": "q1",
        "assess_ts": EARLIER,
        "max_score": 2.0,
        "score": 1.5,
        "type": "mcq",
        "title": "é?",
        "resvalues": [{"1": "{}"}, {}],
        "params": [{"a": "b", "c": "d"}],
        "description": "",
        "duration": Decimal("7.0"),
    }
    assert dict(row["question"][0]) == question
    second = dict(row["question"][1])
    assert {name: second[name] for name in bare} == bare
    assert not second["resvalues"]
    assert {name: row[name] for name in table.columns if name != "question"} == {
        "user_id": key.user_id,
        "course_id": key.course_id,
        "batch_id": "b1",
        "content_id": "do_a",
        "attempt_id": "1",
        "created_on": NOW,
        "updated_on": NOW,
        "last_attempted_on": EARLIER,
        "total_score": 2.5,
        "total_max_score": 4.0,
        "grand_total": "2.5/4.0",
    }


def test_a_newer_version_replaces_the_answers_and_keeps_the_time_of_the_first(gateway: Gateway, table: Table) -> None:
    key = enrolment()
    first = attempt(A1, answer("q1"), answer("q2"))
    write(gateway, Attempts(gateway, table).put(key, first, now=EARLIER, timestamp=TOKEN))
    second = attempt(A1, answer("q2", 0.0), ts=5, created=False)
    write(gateway, Attempts(gateway, table).put(key, second, now=NOW, timestamp=TOKEN + 10))
    late = attempt(A1, answer("q9", 9.0), answer("q8", 9.0), ts=9)
    write(gateway, Attempts(gateway, table).put(key, late, now=EARLIER, timestamp=TOKEN + 5))
    row = row_of(gateway, table, key)
    assert row is not None
    assert [each["id"] for each in row["question"]] == ["q2"]
    assert (row["grand_total"], row["updated_on"], row["last_attempted_on"]) == ("0.0/2.0", NOW, at(1_700_000_000_005))
    assert row["created_on"] == NOW


def test_attempts_of_an_enrolment_are_read_without_its_neighbours(gateway: Gateway, table: Table) -> None:
    key = enrolment()
    others = [replace(key, batch_id="b2"), replace(key, user_id="other"), replace(key, course_id="other")]
    for owner in (key, *others):
        write(
            gateway,
            *(
                Attempts(gateway, table).put(owner, attempt(identity, answer()), now=NOW, timestamp=TOKEN)
                for identity in (B1, A2, A1)
            ),
        )
    attempts = found(gateway, table, key)
    assert set(attempts) == {A1, A2, B1}
    assert attempts[A1] == stored("do_a", "1", 1.5, 2.0, 1_700_000_000_000, created=1_800_000_000_123)
    absent, blank = enrolment(), replace(key, user_id="")
    many = Attempts(gateway, table).read([key, absent, blank, others[0]])
    assert many[absent] == {}
    assert isinstance(many[blank], InvalidEvent)
    assert many[others[0]] == attempts


def test_an_attempt_of_others_may_lack_anything(gateway: Gateway, table: Table) -> None:
    key = enrolment()
    write(gateway, put(table, row_key(key, A1), grand_total="1/2"))
    assert found(gateway, table, key) == {A1: stored("do_a", "1", 0, 0, None, created=None)}


SUMMARY = summarise([stored("do_a", "1", 3, 5, 1), stored("do_b", "1", 1, 2, 2)], kind="attempt_metrics")


def course_row(gateway: Gateway, tables: JobTables, key: EnrolmentKey) -> Row:
    row = activity_aggregates.row_key(key, key.course_id)
    found = read(gateway, tables.activity_agg, row, "aggregates", "agg_last_updated", "agg_details")
    assert found is not None
    return found


def test_scores_join_what_others_put_into_the_maps(gateway: Gateway, tables: JobTables) -> None:
    table, key = tables.activity_agg, enrolment()
    row = activity_aggregates.row_key(key, key.course_id)
    old = {"completedCount": 7.0, "score:gone": 1.0, "score:do_a": 1.0}
    write(
        gateway,
        PutMap(table=table, key=row, column="aggregates", entries=old),
        PutMap(table=table, key=row, column="agg_last_updated", entries=dict.fromkeys(old, EARLIER)),
    )
    for timestamp in (TOKEN, TOKEN + 10):
        write(gateway, *Scores(gateway, table).changes(key, SUMMARY, now=NOW, timestamp=timestamp))
        found = course_row(gateway, tables, key)
        assert found["aggregates"] == {**old, **SUMMARY.figures}
        moments = {**dict.fromkeys(old, EARLIER), **dict.fromkeys(SUMMARY.figures, NOW)}
        assert found["agg_last_updated"] == moments
        assert found["agg_details"] == SUMMARY.details


@pytest.mark.parametrize("summary", [SUMMARY, Summary(figures={}, details=[], latest_attempt="")])
def test_scores_without_attempts_go_and_everything_else_stays(
    gateway: Gateway, tables: JobTables, summary: Summary
) -> None:
    table, key = tables.activity_agg, enrolment()
    row = activity_aggregates.row_key(key, key.course_id)
    old = {"completedCount": 7.0, "score:gone": 1.0, "max_score:gone": 1.0, "attempts_count:gone": 1.0}
    write(
        gateway,
        PutMap(table=table, key=row, column="aggregates", entries=old),
        PutMap(table=table, key=row, column="agg_last_updated", entries=dict.fromkeys(old, EARLIER)),
    )
    for timestamp in (TOKEN, TOKEN + 10):
        entries = Scores(gateway, table).read([key])[key]
        assert not isinstance(entries, LernError)
        write(
            gateway,
            *Scores(gateway, table).changes(key, summary, now=NOW, timestamp=timestamp, stored=entries),
        )
        found = course_row(gateway, tables, key)
        assert found["aggregates"] == {"completedCount": 7.0, **summary.figures}
        assert found["agg_last_updated"] == {"completedCount": EARLIER, **dict.fromkeys(summary.figures, NOW)}
        assert found["agg_details"] == (summary.details or None)
    assert Scores(gateway, table).read([enrolment()]).popitem()[1] is None
