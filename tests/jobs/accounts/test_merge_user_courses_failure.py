"""Merges of accounts when something is wrong: bad events, busy locks, outages, later writes, too much for one task."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lern_tasks.delivery.locks import Locks
from lern_tasks.errors import DependencyDown
from lern_tasks.storage.gateway import PutCells
from lern_tasks.sunbird.tables import CONTENT_CONSUMPTION, ENROLMENTS
from tests.harness.crash_injection import Life
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.merges import (
    COPIED,
    INACTIVE,
    JOB,
    NEW,
    OLD,
    OWN,
    SHARED,
    Meanwhile,
    account,
    enrolled,
    merge,
    place_of,
    prepare,
    published,
    reconciled,
    run,
    undone,
    used,
)

FAILED = "dev.learning.events.failed"
NO_WAIT = {"LERN_TASKS__LOCK_WAIT": "0"}
AT_ONCE = {"LERN_MERGE_USER_COURSES__SOFT_TIME_LIMIT": "0"}
"""No outage is waited out in place."""


def held(chain: Chain, *names: str) -> Callable[[], object]:
    """Somebody else holds these locks; call to give them back."""
    locks = Locks(chain.ctx.redis.client("state"), lease=60).acquire(names)
    assert set(locks.tokens) == set(names)
    return locks.release


@pytest.mark.parametrize(
    "event",
    [
        merge(fromAccountId=""),
        merge(fromAccountId=None),
        merge(toAccountId=7),
        merge(OLD, OLD),
        merge(action="user-enrolment-sync"),
        {"edata": {}},
        {"eid": "BE_JOB_REQUEST"},
        "no JSON",
        None,
    ],
)
def test_an_invalid_event_is_a_dead_letter_as_it_came(chain: Chain, event: Any) -> None:
    prepare(chain)
    before = account(chain, NEW)
    record = chain.record(event)
    assert chain.run(JOB, record)["dead"] == 1
    (dead_letter,) = chain.published.to(FAILED)
    assert dead_letter.value == (None if record.value is None else record.value.encode())
    assert dict(dead_letter.headers)["lern-code"] == b"INVALID_EVENT"
    assert account(chain, NEW) == before
    assert not chain.sender.sent


@pytest.mark.parametrize("user", [OLD, NEW])
def test_while_one_of_both_accounts_is_merged_the_other_is_left_alone(make_chain: MakeChain, user: str) -> None:
    chain = make_chain(**NO_WAIT)
    prepare(chain)
    before = account(chain, NEW)
    release = held(chain, f"merge:{user}")
    assert run(chain) == {"again": 1}
    assert account(chain, NEW) == before
    other = Locks(chain.ctx.redis.client("state"), lease=60).acquire([f"merge:{OLD}", f"merge:{NEW}"])
    assert set(other.tokens) == {f"merge:{OLD}", f"merge:{NEW}"} - {f"merge:{user}"}
    other.release()
    release()
    chain.drain()
    assert reconciled(chain) == [SHARED, COPIED, INACTIVE]
    assert not undone(chain)


@pytest.mark.parametrize("lock", ["progress:u-new:do_c2:b2", "certificate:u-new:do_c2:b2"])
def test_a_busy_enrolment_is_merged_when_it_is_free(make_chain: MakeChain, lock: str) -> None:
    chain = make_chain(**NO_WAIT)
    prepare(chain)
    release = held(chain, lock)
    assert run(chain) == {"again": 1}
    assert chain.row(ENROLMENTS, (NEW, *COPIED)) == {}
    assert published(chain) == []
    release()
    chain.drain()
    assert chain.row(ENROLMENTS, (NEW, *COPIED))["status"] == 2
    assert published(chain) == [SHARED, COPIED, INACTIVE, OWN]


def test_the_certificates_lock_is_taken_only_for_a_copy(make_chain: MakeChain) -> None:
    chain = make_chain(**NO_WAIT)
    prepare(chain)
    held(chain, "certificate:u-new:do_c1:b1")
    assert run(chain) == {"done": 1}


@pytest.mark.parametrize("lock", [f"merge:{NEW}", "progress:u-new:do_c1:b1", "certificate:u-new:do_c2:b2"])
def test_a_lost_lock_is_noticed_before_anything_is_handed_on(chain: Chain, lock: str) -> None:
    prepare(chain)
    state = chain.ctx.redis.client("state")
    taken = f"lern:lock:{lock}"
    chain.new_ctx(
        Meanwhile(
            (
                lambda name, _: name == "release locks" and bool(state.exists(taken)),
                lambda: state.set(taken, "other"),
            )
        )
    )
    assert run(chain) == {"again": 1}
    assert not reconciled(chain)
    state.delete(taken)
    chain.drain()
    assert reconciled(chain) == [SHARED, COPIED, INACTIVE]


class Away:
    """A gateway that goes away after some writes."""

    def __init__(self, of: Any, writes: int) -> None:
        self._of = of
        self._left = writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def apply(self, mutations: Any, **_options: Any) -> Any:
        self._left -= 1
        return [DependencyDown("cassandra")] * len(mutations) if self._left < 0 else self._of.apply(mutations)

    def ping(self) -> None:
        raise DependencyDown("cassandra")


@pytest.mark.parametrize("writes", range(0, 9, 2))
def test_cassandra_goes_away_and_comes_back(make_chain: MakeChain, writes: int) -> None:
    chain = make_chain(**AT_ONCE)
    prepare(chain)
    chain.ctx.gateway = Away(chain.ctx.gateway, writes)
    assert run(chain) == {"again": 1}
    assert_merged_later(chain)


@pytest.mark.parametrize("hand_off", ["celery", "kafka"])
def test_kafka_goes_away_and_comes_back(make_chain: MakeChain, hand_off: str) -> None:
    chain = make_chain(**AT_ONCE, LERN_ENROLMENT_RECONCILIATION__HAND_OFF=hand_off)
    prepare(chain)
    chain.published.down = True
    assert run(chain) == {"again": 1}
    chain.published.down = False
    chain.drain()
    places = {place_of(event) for event in chain.events("batch.enrolment.sync.request")} | set(reconciled(chain))
    assert places == {SHARED, COPIED, INACTIVE}
    assert published(chain) == [SHARED, COPIED, INACTIVE, OWN]


def test_redis_goes_away_and_comes_back(make_chain: MakeChain) -> None:
    chain = make_chain(**AT_ONCE)
    prepare(chain)
    chain.redis_server.connected = False
    assert run(chain) == {"again": 1}
    chain.redis_server.connected = True
    assert_merged_later(chain)


def assert_merged_later(chain: Chain) -> None:
    assert not published(chain)
    chain.drain()
    assert set(reconciled(chain)) == {SHARED, COPIED, INACTIVE}
    assert published(chain) == [SHARED, COPIED, INACTIVE, OWN]
    assert viewed(chain, SHARED, "r1") == 5
    assert viewed(chain, COPIED, "r9") == 4
    assert not chain.published.to("failed")
    assert not undone(chain)


def viewed(chain: Chain, place: tuple[str, str], content_id: str) -> int:
    views: int = chain.row(CONTENT_CONSUMPTION, (NEW, *place, content_id))["viewcount"]
    return views


def test_a_later_write_of_the_learner_service_is_neither_lost_nor_does_it_hide_the_merge(chain: Chain) -> None:
    """It writes by Cassandra's clock and without our locks: between our read and our write, with a later time."""
    prepare(chain)
    chain.new_ctx(
        Meanwhile(
            (
                lambda name, _: name == "write user_content_consumption",
                lambda: used(chain, NEW, SHARED, "r1", status=1, progress=70),
            )
        )
    )
    assert run(chain) == {"again": 1}
    assert chain.row(CONTENT_CONSUMPTION, (NEW, *SHARED, "r1"))["status"] == 1
    assert not published(chain)
    chain.drain()
    row = chain.row(CONTENT_CONSUMPTION, (NEW, *SHARED, "r1"))
    assert (row["status"], row["progress"], row["viewcount"]) == (2, 100, 5)
    assert not undone(chain)


def test_a_row_that_always_comes_from_the_future_is_a_dead_letter_in_the_end(make_chain: MakeChain) -> None:
    chain = make_chain()
    enrolled(chain, OLD, SHARED)
    used(chain, OLD, SHARED, "r1", status=2)
    future = PutCells(
        table=CONTENT_CONSUMPTION, key=(NEW, *SHARED, "r1"), cells={"status": 1}, timestamp=9_000_000_000_000_000
    )
    assert chain.store.apply([future]) == [None]
    chain.send(JOB, chain.record(merge()))
    chain.drain()
    (dead_letter,) = chain.published.to(FAILED)
    headers = dict(dead_letter.headers)
    assert headers["lern-code"] == b"TRANSIENT"
    assert b"later time" in headers["lern-error"]
    assert json.loads(dead_letter.value or b"") == merge()


def test_a_large_account_goes_on_in_another_message_where_it_stopped(chain: Chain) -> None:
    for number in range(6):
        enrolled(chain, OLD, (f"do_{number}", f"b{number}"))
        used(chain, OLD, (f"do_{number}", f"b{number}"), "r1", status=2, viewcount=3)
    rounds = 0
    chain.send(JOB, chain.record(merge()))
    while True:
        clock = Clock(chain, per_enrolment_ms=40_000)
        chain.new_ctx(clock)
        sent = list(chain.sender.to(JOB))[-1]
        counts = chain.run(JOB, *sent.records, tag=f"tag-{rounds}")
        if not counts["again"]:
            break
        rounds += 1
        assert not reconciled(chain)
        assert not published(chain)
        assert [record.attempt for record in list(chain.sender.to(JOB))[-1].records] == [0]
    # Two enrolments fit into two thirds of 90 s of 40 s each; the third message finds nothing left to do.
    assert rounds == 2
    assert len(reconciled(chain)) == len(published(chain)) == 6
    assert {viewed(chain, (f"do_{number}", f"b{number}"), "r1") for number in range(6)} == {3}


class Clock(Life):
    """Each enrolment takes its time."""

    def __init__(self, chain: Chain, *, per_enrolment_ms: int) -> None:
        super().__init__()
        self._chain = chain
        self._step = per_enrolment_ms

    def effect(self, name: str) -> None:
        if name == "write user_enrolments" and self.effects[-1] != name:
            self._chain.ctx.time_ms += self._step
        super().effect(name)


def test_a_date_format_that_is_not_understood_lets_merges_wait(make_chain: MakeChain) -> None:
    chain = make_chain(**AT_ONCE, LERN_MERGE_USER_COURSES__COURSE_DATE_FORMAT="EEE, dd MMM")
    prepare(chain)
    assert run(chain) == {"again": 1}
    assert not chain.published.messages


def test_logs_name_columns_and_never_what_is_in_them(chain: Chain, capfd: pytest.CaptureFixture[str]) -> None:
    enrolled(chain, OLD, SHARED, addedby="asha@example.org")
    used(chain, OLD, SHARED, "r1", lastaccesstime="about noon", progressdetails="secret")
    used(chain, NEW, SHARED, "r1", lastaccesstime="2023-05-09 12:05:04:123+0530")
    run(chain)
    told = "".join(capfd.readouterr())
    assert "lastaccesstime" in told
    for text in ("asha", "about noon", "secret", "2023-05-09"):
        assert text not in told
