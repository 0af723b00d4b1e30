"""Aggregation and reconciliation in any order, and one in the middle of the other: the rows are the oracle's."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any, Final, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lern_tasks.catalogue import ProgressJob
from lern_tasks.delivery.record import Record
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ENROLMENTS
from tests.harness.course import consumed, enrol, learners, publish, rows_of
from tests.harness.crash_injection import Life
from tests.harness.fixtures import shared_chain
from tests.harness.in_process import Chain
from tests.harness.oracle import Expected, expected
from tests.harness.scenario import finished
from tests.harness.syncs import JOB, sync

AGGREGATOR: Final = "activity_aggregate_updater"
CONTENTS = ("r1", "r2", "r3", "r4")
REQUIRED = frozenset({"r1", "r2", "r3"})
USERS = count()

JOBS: dict[str, ProgressJob] = {"dev.progress": AGGREGATOR, "dev.syncs": JOB}
"""The jobs by the topics from which the records of these tests come."""

Happening = tuple[Literal["finished", "sync", "stored"], frozenset[str]]


SYNC: Happening = ("sync", frozenset())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with shared_chain(tmp_path_factory, LERN_TASKS__LOCK_WAIT="0") as chain:
        publish(chain)
        yield chain


def learner(chain: Chain) -> EnrolmentKey:
    key = EnrolmentKey(user_id=f"u{next(USERS)}", course_id="do_c1", batch_id="b1")
    enrol(chain, key)
    return key


def record(chain: Chain, key: EnrolmentKey, happening: Happening) -> Record:
    kind, contents = happening
    if kind == "sync":
        return chain.record(sync(key), topic="dev.syncs")
    return chain.record(finished(key, sorted(contents)), topic="dev.progress")


def happenings() -> st.SearchStrategy[list[Happening]]:
    """Lessons finished (some told twice), their statuses stored at any time, and reconciliations, in any order."""
    contents = st.frozensets(st.sampled_from(CONTENTS), min_size=1, max_size=2)
    ends = st.lists(contents, min_size=1, max_size=4)
    syncs = st.lists(st.just(SYNC), max_size=4)
    return st.tuples(ends, syncs, st.booleans()).flatmap(lambda drawn: st.permutations(all_of(*drawn)))


def all_of(ends: list[frozenset[str]], syncs: list[Happening], twice: bool) -> list[Happening]:
    told: list[Happening] = [("finished", contents) for contents in ends]
    stored: list[Happening] = [("stored", contents) for contents in ends]
    return [*told, *(told[:1] if twice else []), *stored, *syncs]


def enrolment(chain: Chain, key: EnrolmentKey) -> dict[str, Any]:
    """The row of a learner but for the time of its writing."""
    row = chain.row(ENROLMENTS, (key.user_id, key.course_id, key.batch_id))
    return {name: value for name, value in row.items() if name != "datetime"}


def check(chain: Chain, key: EnrolmentKey, done: frozenset[str]) -> Expected:
    """Compare with the oracle's rows of a learner who finished `done`; gives what is stored."""
    scenario = learners({key: done})
    (found,), (wanted,) = rows_of(chain, scenario).values(), expected(scenario).values()
    # What is finished after the completion does not change a completed row any more.
    statuses = {content: status for content, status in found.content_status.items() if content in REQUIRED}
    assert replace(found, content_status=statuses) == replace(wanted, content_status=dict.fromkeys(done & REQUIRED, 2))
    assert set(found.content_status.values()) == {2}
    return found


def told(chain: Chain, key: EnrolmentKey) -> tuple[set[str], int]:
    """The audit events of a learner by what a consumer drops doubles by, and the requests for certificates."""
    user = f'"{key.user_id}"'
    events = (message.value or b"" for message in chain.published.to("telemetry.raw"))
    audits = {msgspec.json.decode(event)["mid"] for event in events if user.encode() in event}
    sent = chain.sender.to("collection_cert_pre_processor")
    return audits, sum(user in (each.value or "") for message in sent for each in message.records)


@settings(max_examples=50, deadline=None)
@given(order=happenings())
def test_rows_do_not_depend_on_the_order_of_events_and_reconciliations(shared: Chain, order: list[Happening]) -> None:
    key = learner(shared)
    done: frozenset[str] = frozenset()
    for number, happening in enumerate(order):
        kind, contents = happening
        if kind == "stored":
            for content in contents:
                consumed(shared, content, key, status=2)
            continue
        event = record(shared, key, happening)
        counts = shared.run(JOBS[event.topic], event, tag=f"{key.user_id}-{number}")
        assert counts["done"] + counts["skipped"] == 1
        done |= contents
        row = shared.row(ENROLMENTS, (key.user_id, "do_c1", "b1"))
        assert row["status"] == 2 or not done >= REQUIRED, "a completed enrolment fell back"
    found = check(shared, key, done), enrolment(shared, key)
    shared.time_ms += 1000
    shared.run(JOB, record(shared, key, SYNC), tag=f"{key.user_id}-last")
    assert (check(shared, key, done), enrolment(shared, key)) == found
    audits, requests = told(shared, key)
    assert len(audits) == 2 * len(done) + (done >= REQUIRED)
    assert bool(requests) == (done >= REQUIRED)


class Interrupted(Life):
    """The life of a process that is stopped before its `at`-th effect, until `meanwhile` has happened."""

    def __init__(self, at: int, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._at, self._meanwhile = at, meanwhile

    def effect(self, name: str) -> None:
        super().effect(name)
        if len(self.effects) == self._at:
            self._meanwhile()


def run_within(chain: Chain, first: Record, second: Record, *, at: int, lapsed: bool) -> bool:
    """Run one job and, before its `at`-th effect, another process's; whether there are so many effects.

    `lapsed`: the first one was stopped for longer than the lease of its locks.
    """
    came: list[dict[str, int]] = []

    def meanwhile() -> None:
        ctx, life = chain.ctx, chain.life
        chain.new_ctx(lapsed=lapsed)
        came.append(chain.run(JOBS[second.topic], second, tag=f"second-{second.offset}"))
        chain.ctx, chain.life = ctx, life

    chain.new_ctx(Interrupted(at, meanwhile))
    chain.run(JOBS[first.topic], first, tag=f"first-{first.offset}")
    chain.drain()
    return bool(came)


@pytest.mark.parametrize("lapsed", [False, True])
@pytest.mark.parametrize("first", JOBS.values())
@pytest.mark.parametrize("before", [{"r1", "r2"}, {"r1"}], ids=["completes", "does not complete"])
def test_one_job_in_the_middle_of_the_other(shared: Chain, before: set[str], first: ProgressJob, lapsed: bool) -> None:
    for at in count(1):
        key = learner(shared)
        for content in before:
            consumed(shared, content, key, status=2, viewcount=1, completedcount=1)
        both = [record(shared, key, SYNC), record(shared, key, ("finished", frozenset({"r3"})))]
        both.sort(key=lambda each: JOBS[each.topic] != first)
        if not run_within(shared, *both, at=at, lapsed=lapsed):
            assert at > 9, "each job has more effects than that"
            return
        done = frozenset(before | {"r3"})
        check(shared, key, done)
        audits, requests = told(shared, key)
        assert len(audits) == 2 + (done >= REQUIRED)
        assert bool(requests) == (done >= REQUIRED)
