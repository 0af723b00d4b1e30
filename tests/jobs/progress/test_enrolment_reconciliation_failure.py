"""Reconciliation when something is wrong: bad events, courses without relations, outages, other workers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lern_tasks.errors import DependencyDown, LernError, TransientError
from lern_tasks.metrics import CounterName, value
from lern_tasks.storage.gateway import Key, Mutation
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ENROLMENTS
from tests.harness.course import KEY, ROW, aggregates, consumed, enrol, progress, publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.scenario import finished
from tests.harness.syncs import JOB, REQUIRED, reconcile, store, sync

FAILED = "dev.enrolment.reconciliation.failed"
PREFIX = "LERN_ENROLMENT_RECONCILIATION__"
OTHER = EnrolmentKey(user_id="u2", course_id="do_c1", batch_id="b1")


def asked_users(chain: Chain) -> list[str]:
    return [user for event in chain.sent_events("collection_cert_pre_processor") for user in event["edata"]["userIds"]]


@pytest.mark.parametrize("name", ["userId", "courseId", "batchId"])
@pytest.mark.parametrize("identifier", [None, "", " ", 7])
def test_an_event_without_an_id_is_a_dead_letter_that_names_it(chain: Chain, name: str, identifier: object) -> None:
    event = sync()
    event["edata"][name] = identifier
    assert chain.run(JOB, chain.record(event))["dead"] == 1
    (letter,) = chain.published.to(FAILED)
    headers = dict(letter.headers)
    assert json.loads(letter.value or b"") == event
    assert headers["lern-code"] == b"INVALID_EVENT"
    assert f"edata.{name}".encode() in headers["lern-error"]


@pytest.mark.parametrize("text", ["no JSON", "[]", "", None, '{"edata": 1}'])
def test_what_cannot_be_read_is_a_dead_letter_as_it_came(chain: Chain, text: str | None) -> None:
    assert chain.run(JOB, chain.record(text))["dead"] == 1
    (letter,) = chain.published.to(FAILED)
    assert letter.value == (None if text is None else text.encode())


def test_records_of_one_message_have_their_own_outcomes_and_counters(chain: Chain) -> None:
    publish(chain)
    enrol(chain)
    store(chain, {"r1": 2})
    names: list[CounterName] = ["total-events-count", "skipped-events-count", "failed-events-count"]
    before = [value(name, job=JOB) for name in names]
    events = [sync(), sync(action="other"), "no JSON", sync(OTHER)]
    counts = chain.run(JOB, *(chain.record(event) for event in events))
    assert counts == {"done": 1, "skipped": 2, "again": 0, "dead": 1}
    assert [value(name, job=JOB) - was for name, was in zip(names, before, strict=True)] == [4, 2, 1]


def test_a_retired_course_is_counted_and_nothing_more(chain: Chain) -> None:
    chain.platform.add(contents={"do_c1": {"status": "Retired"}})
    enrol(chain)
    store(chain, {"r1": 2})
    before = chain.row(ENROLMENTS, ROW), value("retired-consumption-events-count", job=JOB)
    assert [reconcile(chain) for _ in range(2)] == [{"done": 1}] * 2
    assert (chain.row(ENROLMENTS, ROW), value("retired-consumption-events-count", job=JOB) - 2) == before
    assert aggregates(chain) == {}
    assert not chain.sender.sent
    assert not chain.published.messages
    # The status is remembered.
    assert len(chain.platform.requests_to("POST", "/v3/search")) == 1


def test_a_live_course_without_leaf_nodes_is_waited_for_and_its_relations_asked_for(chain: Chain) -> None:
    chain.platform.add(contents={"do_c1": {"status": "Live"}})
    enrol(chain)
    store(chain, {"r1": 2, "r2": 2})
    assert reconcile(chain) == {"again": 1}
    (request,) = chain.sent_events("relation_cache_updater")
    assert (request["edata"]["action"], request["edata"]["identifier"]) == ("relation-cache-update", "do_c1")
    publish(chain)
    chain.drain()
    assert aggregates(chain) == {"do_c1": 2, "un1": 2}
    assert not chain.published.to("failed")


def test_relations_are_asked_of_the_flink_job_where_it_is_the_one_that_runs(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_RELATION_CACHE_UPDATER__HAND_OFF="kafka")
    chain.platform.add(contents={"do_c1": {"status": "Live"}})
    enrol(chain)
    store(chain, {"r1": 2})
    assert reconcile(chain) == {"again": 1}
    (request,) = chain.events(".content.postpublish.request")
    assert (request["edata"]["action"], request["edata"]["identifier"]) == ("relation-cache-update", "do_c1")
    assert not list(chain.sender.to("relation_cache_updater"))


def test_a_course_that_never_comes_is_a_dead_letter_on_the_topic_that_is_set(make_chain: MakeChain) -> None:
    chain = make_chain(**{f"{PREFIX}KAFKA_OUTPUT_FAILED_TOPIC": "{env}.activity.agg.failed"})
    enrol(chain)
    store(chain, {"r1": 2})
    chain.send(JOB, chain.record(sync()))
    chain.drain()
    (letter,) = chain.published.to("dev.activity.agg.failed")
    headers = dict(letter.headers)
    assert (headers["lern-job"], headers["lern-code"]) == (b"enrolment_reconciliation", b"NOT_YET")
    assert b"do_c1" in headers["lern-error"]
    assert aggregates(chain) == {}


def test_the_search_service_away_delays_only_courses_without_leaf_nodes(make_chain: MakeChain) -> None:
    chain = make_chain(**{f"{PREFIX}SERVICE_SEARCH_BASEPATH": "http://127.0.0.1:9"})
    publish(chain)
    unknown = EnrolmentKey(user_id="u1", course_id="do_unknown", batch_id="b1")
    for key in (KEY, unknown):
        enrol(chain, key)
        store(chain, {"r1": 2}, key)
    assert reconcile(chain, KEY, unknown) == {"done": 1, "again": 1}
    (again,) = chain.sender.to(JOB)
    assert [(record.not_yet, record.attempt) for record in again.records] == [(0, 0)]


def test_one_enrolment_that_fails_is_tried_again_alone(chain: Chain) -> None:
    publish(chain)
    for key in (KEY, OTHER):
        enrol(chain, key)
        store(chain, REQUIRED, key)
    chain.ctx.gateway = Refusing(chain.ctx.gateway, ("u1",))  # type: ignore[assignment]
    assert reconcile(chain, KEY, OTHER) == {"done": 1, "again": 1}
    assert asked_users(chain) == ["u2"]
    chain.drain()
    assert set(asked_users(chain)) == {"u1", "u2"}
    assert [chain.row(ENROLMENTS, (key.user_id, "do_c1", "b1"))["status"] for key in (KEY, OTHER)] == [2, 2]


class Refusing:
    """A gateway that refuses to write enrolments of a user."""

    def __init__(self, of: Any, users: Key) -> None:
        self._of, self._users = of, users

    def apply(self, mutations: list[Mutation], **_options: Any) -> list[LernError | None]:
        return [
            TransientError("timed out")
            if change.table.name == "user_enrolments" and change.key[0] in self._users
            else self._of.apply([change])[0]
            for change in mutations
        ]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)


@pytest.mark.parametrize("dependency", ["kafka", "redis"])
def test_an_outage_delays_and_loses_nothing(make_chain: MakeChain, dependency: str) -> None:
    chain = make_chain(**{f"{PREFIX}SOFT_TIME_LIMIT": "1"})
    completed_but_for_reconciliation(chain)
    chain.published.down, chain.redis_server.connected = dependency == "kafka", dependency != "redis"
    assert reconcile(chain) == {"again": 1}
    chain.published.down, chain.redis_server.connected = False, True
    chain.drain()
    assert completed(chain)


def test_a_broker_that_comes_back_in_time_gets_the_request_in_the_same_run(chain: Chain) -> None:
    completed_but_for_reconciliation(chain)
    chain.ctx.sender = Returning(chain.sender, failures=3)  # type: ignore[assignment]
    assert reconcile(chain) == {"done": 1}
    assert completed(chain)


def completed_but_for_reconciliation(chain: Chain) -> None:
    publish(chain)
    enrol(chain)
    store(chain, REQUIRED)


def completed(chain: Chain) -> bool:
    """Whether row, request and audit are there, each at least once, and nothing is dead."""
    audits = {event["edata"]["type"] for event in chain.events("telemetry.raw")}
    found = chain.row(ENROLMENTS, ROW)["status"], set(asked_users(chain)), audits, chain.published.to("failed")
    return found == (2, {"u1"}, {"enrol-complete"}, [])


class Returning:
    """A broker that is away for some calls."""

    def __init__(self, of: Any, failures: int) -> None:
        self._of, self._left = of, failures

    def _fail(self) -> None:
        self._left -= 1
        if self._left >= 0:
            raise DependencyDown("broker")

    def send(self, *args: Any, **options: Any) -> None:
        self._fail()
        self._of.send(*args, **options)

    def ping(self) -> None:
        self._fail()


def test_while_another_worker_holds_the_enrolment_it_is_sent_again_and_spends_nothing(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_TASKS__LOCK_WAIT="0")
    publish(chain)
    enrol(chain)
    store(chain, {"r1": 2})
    held = chain.ctx.locks.acquire([f"progress:{KEY.text}"])
    assert reconcile(chain) == {"again": 1}
    (again,) = chain.sender.to(JOB)
    assert [(record.not_yet, record.attempt) for record in again.records] == [(0, 0)]
    assert chain.row(ENROLMENTS, ROW)["status"] == 0
    held.release()
    chain.drain()
    assert chain.row(ENROLMENTS, ROW)["status"] == 1


def test_ids_with_colons_share_a_lock_and_are_all_done(chain: Chain) -> None:
    keys = [
        EnrolmentKey(user_id="u:do_c1", course_id="do_c1", batch_id="b"),
        EnrolmentKey(user_id="u", course_id="do_c1", batch_id="do_c1:b"),
    ]
    assert keys[0].text == keys[1].text
    publish(chain)
    for key in keys:
        enrol(chain, key)
        store(chain, {"r1": 2}, key)
    assert reconcile(chain, *keys) == {"done": 2}
    events = [finished(key, ["r2"]) for key in keys]
    assert chain.run("activity_aggregate_updater", *map(chain.record, events))["done"] == 2
    for key in keys:
        assert chain.row(ENROLMENTS, (key.user_id, key.course_id, key.batch_id))["progress"] == 2


def test_a_reconciliation_that_was_stopped_past_its_lease_does_not_overwrite_what_came_after(chain: Chain) -> None:
    """It has read an open enrolment; then its lock lapses, and the aggregator completes the enrolment."""
    publish(chain)
    enrol(chain)
    for content in ("r1", "r2"):
        consumed(chain, content, status=2, viewcount=1, completedcount=1)

    def meanwhile() -> None:
        chain.new_ctx()
        assert progress(chain, "r3")["done"] == 1
        chain.ctx = stopped

    stopped = chain.ctx
    stopped.gateway = Stopping(stopped.gateway, meanwhile)  # type: ignore[assignment]
    lost = value("lock-lost", job=JOB)
    assert reconcile(chain) == {"again": 1}
    assert value("lock-lost", job=JOB) - lost == 1
    row = chain.row(ENROLMENTS, ROW)
    assert (row["status"], row["progress"], row["contentstatus"]) == (2, 3, REQUIRED)
    assert aggregates(chain) == {"do_c1": 3, "un1": 2, "un2": 1}
    chain.drain()
    assert chain.row(ENROLMENTS, ROW) == row


class Stopping:
    """A gateway of a process that is stopped before its first write, until `meanwhile` has happened."""

    def __init__(self, of: Any, meanwhile: Callable[[], None]) -> None:
        self._of, self._meanwhile = of, meanwhile
        self._stopped = False

    def apply(self, mutations: list[Mutation], **_options: Any) -> list[LernError | None]:
        if not self._stopped:
            self._stopped = True
            self._meanwhile()
        result: list[LernError | None] = self._of.apply(mutations)
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)
