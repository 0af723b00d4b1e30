"""Answered questions, a type of the installation's own: written and read back on SQLite and on Cassandra."""

import uuid
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lern_tasks.storage.cassandra.gateway import CassandraGateway
from lern_tasks.storage.gateway import Delete, Gateway, ReplaceCollection
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.table_names import JobTables
from lern_tasks.sunbird.tables import ASSESSMENTS, QUESTION
from tests.servers.server import Server
from tests.storage import gateways
from tests.storage.gateways import cell, new_key, put, read, rows_under, sorted_rows, write

NOTHING: dict[str, Any] = dict.fromkeys(QUESTION)

QUESTION_1 = {
    "id": "do_q1",
    "assess_ts": datetime(2026, 11, 21, 10, 30, 15, 123_000, tzinfo=UTC),
    "max_score": 5.0,
    "score": 2.5,
    "type": "mcq",
    "title": "Which? ☕",
    "resvalues": [{"1": '{"text": "A"}'}, {}],
    "params": [{"1": "A"}, {"answer": "B", "": ""}],
    "description": "",
    "duration": Decimal("7.50"),
}

_texts = st.text(alphabet='ab"\\,é☕\x00', max_size=4)
_maps = st.lists(st.dictionaries(_texts, _texts, max_size=2), max_size=2)
_times = st.datetimes(datetime(1960, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
_fields: dict[str, st.SearchStrategy[Any]] = {
    "id": _texts,
    "assess_ts": _times.map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)),
    "max_score": st.floats(allow_nan=False),
    "score": st.floats(allow_nan=False),
    "type": _texts,
    "title": _texts,
    "resvalues": _maps,
    "params": _maps,
    "description": _texts,
    "duration": st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40),
}
questions = st.lists(
    st.fixed_dictionaries({}, optional={name: st.none() | values for name, values in _fields.items()}), max_size=3
)


def answers(table: Table, key: tuple[str, ...], value: Any, timestamp: int | None = None) -> ReplaceCollection:
    return ReplaceCollection(table=table, key=key, column="answers", value=value, timestamp=timestamp)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=questions)
def test_questions_come_back_with_all_fields(gateway: Gateway, table: Table, drawn: list[dict[str, Any]]) -> None:
    key = new_key()
    write(gateway, answers(table, key, drawn), put(table, key, whole=1))
    found = cell(gateway, table, key, "answers")
    assert found == ([{**NOTHING, **question} for question in drawn] or None)
    for question in found or ():
        assert type(question) is dict
        assert question["duration"] is None or type(question["duration"]) is Decimal
        assert question["assess_ts"] is None or question["assess_ts"].tzinfo is UTC


def test_a_list_put_as_a_cell_and_a_later_one(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, put(table, key, 10, answers=[QUESTION_1, {}]))
    assert cell(gateway, table, key, "answers") == [QUESTION_1, NOTHING]
    write(gateway, answers(table, key, [{"id": "new"}], 20))
    write(gateway, answers(table, key, [{"id": "late"}], 15))
    assert cell(gateway, table, key, "answers") == [{**NOTHING, "id": "new"}]
    write(gateway, answers(table, key, None, 30))
    assert read(gateway, table, key, "answers") is None


def test_whole_numbers_are_scores_too(gateway: Gateway, table: Table) -> None:
    key = new_key()
    write(gateway, answers(table, key, [{"score": 2, "max_score": 0}]))
    [found] = cell(gateway, table, key, "answers")
    assert (found["score"], found["max_score"]) == (2.0, 0.0)
    assert type(found["score"]) is float


@pytest.mark.stack
@pytest.mark.parametrize(
    "there",
    [
        dict(reversed(list(QUESTION.items()))),
        {"subject": "text", **QUESTION, "marks": "int"},
        {
            name: kind.replace("list<frozen<map<text, text>>>", "frozen<list<frozen<map<text, text>>>>")
            for name, kind in QUESTION.items()
        },
    ],
    ids=["another order", "more fields", "frozen lists"],
)
def test_the_installations_type_may_differ(
    cassandra_server: Server, cassandra_keyspace: str, cassandra_gateway: CassandraGateway, there: dict[str, str]
) -> None:
    name = f"answered_{uuid.uuid4().hex[:8]}"
    table = replace(gateways.every_type_in(cassandra_keyspace), name=name, type_names={"question": name})
    with gateways.cluster(cassandra_server.address) as cluster:
        listed = ", ".join(f"{field} {kind}" for field, kind in there.items())
        cluster.connect().execute(f"CREATE TYPE {cassandra_keyspace}.{name} ({listed})")
    cassandra_gateway.create([table])
    checked = CassandraGateway(gateways.cassandra_settings(cassandra_server.address, schema_check="refuse"))
    key = new_key()
    write(checked, answers(table, key, [QUESTION_1, {}]))
    assert cell(checked, table, key, "answers") == [QUESTION_1, NOTHING]
    checked.close()


@pytest.mark.stack
def test_a_type_without_a_field_is_read_without_it(
    cassandra_server: Server, cassandra_keyspace: str, cassandra_gateway: CassandraGateway
) -> None:
    """With `schema_check` off or warn; else the table is refused."""
    name = f"answered_{uuid.uuid4().hex[:8]}"
    table = replace(gateways.every_type_in(cassandra_keyspace), name=name, type_names={"question": name})
    older = {field: kind for field, kind in QUESTION.items() if field != "duration"}
    cassandra_gateway.create([replace(table, types={"question": older})])
    key = new_key()
    write(cassandra_gateway, answers(table, key, [QUESTION_1]))
    assert cell(cassandra_gateway, table, key, "answers") == [{**QUESTION_1, "duration": None}]


def _keyed(gateway: Gateway, keyspace: str, by: str) -> Table:
    """The table of attempts with one of its keys, declared as always."""
    table = ASSESSMENTS.renamed(keyspace=keyspace, name=f"attempts_{by}")
    [(partition, clustering)] = table.other_keys
    other = replace(table, partition=partition, clustering=clustering, other_keys=())
    gateway.create([other if by == "course" else table])
    return table


@pytest.fixture(params=["learner", "course"])
def attempts(gateway: Gateway, keyspace: str, request: pytest.FixtureRequest) -> Table:
    return _keyed(gateway, keyspace, request.param)


def test_both_keys_of_attempts_give_the_same(gateway: Gateway, attempts: Table) -> None:
    user, course, *others = (uuid.uuid4().hex for _ in range(5))
    keys = [
        (who, course, batch, content, attempt)
        for who in (user, *others)
        for batch in ("b2", "b1")
        for content in ("do_2", "do_1")
        for attempt in ("b", "a")
    ]
    # Of one course, so of one partition on one of the keys: more than a batch takes, in one call.
    changes = [put(attempts, key, 100 + number, total_score=float(number)) for number, key in enumerate(keys)]
    write(gateway, *changes, Delete(table=attempts, key=keys[0], timestamp=1000))
    write(gateway, *(put(attempts, key, 50, total_score=-1.0) for key in keys))
    assert read(gateway, attempts, keys[0], "total_score") is None
    for number, key in enumerate(keys[1:], 1):
        assert cell(gateway, attempts, key, "total_score") == float(number)
    names = ("batch_id", "content_id", "attempt_id")
    for length in (3, 4):
        prefix = (user, course, "b1", "do_2")[:length]
        wanted = [dict(zip(names, key[2:], strict=True)) for key in keys if key[:length] == prefix]
        assert sorted_rows(rows_under(gateway, attempts, prefix, *names)) == sorted_rows(wanted)
    page = gateway.select_page(attempts, (user, course, "b1", "do_2"), ["attempt_id"], after="a", limit=5)
    assert [row["attempt_id"] for row in page.rows] == ["b"]


def test_a_scan_of_attempts_does_not_cut_the_partitions_that_there_are(gateway: Gateway, attempts: Table) -> None:
    salt, rows = uuid.uuid4().hex, 0
    keys = {(f"u{user}", f"{salt}{course}", "b", "c", "a") for user in range(5) for course in range(5)}
    write(gateway, *(put(attempts, key, total_score=1.0) for key in keys))
    found: list[tuple[str, ...]] = []
    after = None
    while rows == 0 or after is not None:
        page = gateway.scan(attempts, attempts.key, after=after, limit=3)
        found += [tuple(row[column] for column in attempts.key) for row in page.rows]
        after, rows = page.after, rows + 1
    assert sorted(key for key in found if key[1].startswith(salt)) == sorted(keys)


@pytest.mark.parametrize("length", [2, 6])
def test_a_prefix_that_one_key_cannot_select_is_a_fault_of_the_code(
    gateway: Gateway, attempts: Table, length: int
) -> None:
    with pytest.raises(ValueError, match="cannot be selected"):
        gateway.select_many(attempts, [("u", "c", "b", "c", "a", "x")[:length]], ["total_score"])


def test_changes_of_one_declared_partition_are_of_one_partition_on_every_key() -> None:
    """Else a batch would be of two partitions."""
    declared = JobTables()
    tables: list[Table] = [getattr(declared, member.name) for member in fields(declared)]
    for table in tables:
        for partition, clustering in table.other_keys:
            assert set(partition) <= set(table.partition)
            assert {*partition, *clustering} == set(table.key)
