"""Attempts that are refused: no content of the course, too many questions, nothing to compare with."""

import json
from typing import Any

import pytest

from lern_tasks.demo.platform.switches import Switches
from lern_tasks.metrics import CounterName, value
from tests.harness.assess_events import TS, answered, attempt, recompute
from tests.harness.attempts import DEAD, DONE, JOB, asked, attempt_row, deliver, letter, score_row, store_attempt
from tests.harness.course import publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain

COUNTERS: tuple[CounterName, ...] = (
    "cache-hit-count",
    "cache-hit-miss-count",
    "api-hit-success-count",
    "api-hit-failed-count",
    "ignored-event-count",
    "failed-event-count",
    "not-a-leaf-node-count",
)
QUESTIONS = [answered(f"q{number}") for number in range(6)]


class Counted:
    """What the counters rose by within."""

    def __enter__(self) -> "Counted":
        self._before = {name: value(name, job=JOB) for name in COUNTERS}
        return self

    def __exit__(self, *_: object) -> None:
        self.rose = {
            name: value(name, job=JOB) - old for name, old in self._before.items() if value(name, job=JOB) > old
        }


@pytest.mark.parametrize("event", [attempt(content="r9"), recompute(content="r9")], ids=["attempt", "recomputation"])
@pytest.mark.parametrize(
    ("mode", "counts", "rose"),
    [
        ("enforce", DEAD, {"cache-hit-count": 1, "not-a-leaf-node-count": 1, "failed-event-count": 1}),
        ("log", DONE, {"cache-hit-count": 1, "not-a-leaf-node-count": 1}),
        ("off", DONE, {}),
    ],
)
def test_a_content_that_the_course_does_not_have(
    make_chain: MakeChain, event: Any, mode: str, counts: dict[str, int], rose: dict[str, float]
) -> None:
    chain = make_chain(LERN_ASSESSMENT_AGGREGATOR__LEAF_CHECK=mode)
    publish(chain)
    with Counted() as counted:
        assert deliver(chain, event) == counts
    assert counted.rose == rose
    assert bool(attempt_row(chain, content="r9")) == (counts == DONE and "events" in event)
    assert len(asked(chain)) == counts["done"]
    if mode == "enforce":
        raw, code, error = letter(chain)
        assert json.loads(raw or b"") == event
        assert code == "NOT_A_LEAF_NODE"
        assert "r9" in error
        assert not chain.sender.sent


def test_contents_of_the_course_and_of_courses_without_leaf_nodes_are_accepted(chain: Chain) -> None:
    publish(chain)
    other = attempt(content="x1", courseId="do_unknown")
    with Counted() as counted:
        counts = deliver(chain, attempt(content="r4"), other, attempt(content="r9"))
    assert counts == {"done": 2, "skipped": 0, "again": 0, "dead": 1}
    assert counted.rose == {
        "cache-hit-count": 2,
        "cache-hit-miss-count": 1,
        "not-a-leaf-node-count": 1,
        "failed-event-count": 1,
    }


def test_leaf_nodes_are_read_from_the_server_of_the_relation_cache(make_chain: MakeChain) -> None:
    """T20: not from that of the metadata."""
    chain = make_chain(
        LERN_ASSESSMENT_AGGREGATOR__REDIS_META_HOST="elsewhere",
        LERN_ASSESSMENT_AGGREGATOR__REDIS_DATABASE_RELATIONCACHE_ID="8",
    )
    assert chain.settings.redis_url("relation_cache", JOB) == "redis://localhost:6379/8"
    assert chain.settings.redis_url("metadata", JOB) == "redis://elsewhere:6379/5"
    chain.ctx.redis.client("relation_cache", JOB).sadd("do_c1:do_c1:leafnodes", "r2")
    assert deliver(chain, attempt(content="r1"))["dead"] == 1
    assert deliver(chain, attempt(content="r2")) == DONE


@pytest.fixture
def counting(make_chain: MakeChain) -> Chain:
    """An environment where attempts with too many questions are refused."""
    return make_chain(LERN_ASSESSMENT_AGGREGATOR__ASSESSMENT_SKIP_MISSINGRECORDS="true")


def cached(chain: Chain, **fields: Any) -> None:
    chain.ctx.redis.client("metadata", JOB).set("r1", json.dumps(fields))


@pytest.mark.parametrize(
    ("expected", "answers", "counts"),
    [(5, 5, DONE), (5, 3, DONE), (5, 6, DEAD), (5.0, 5, DONE), ("5", 6, DEAD), (None, 6, DONE), (0, 1, DEAD)],
)
@pytest.mark.parametrize("place", ["cache", "service"])
def test_more_answers_than_questions_are_refused(
    counting: Chain, place: str, expected: Any, answers: int, counts: dict[str, int]
) -> None:
    cache = place == "cache" and expected
    if cache:
        cached(counting, Total_questions=expected, name="Quiz")
    else:
        cached(counting, totalQuestions=0)
        counting.platform.add(contents={"r1": {"totalQuestions": expected} if expected is not None else {}})
    event = attempt(*QUESTIONS[:answers])
    with Counted() as counted:
        assert deliver(counting, event) == counts
    read = {"cache-hit-count": 1} if cache else {"cache-hit-miss-count": 1, "api-hit-success-count": 1}
    missing = {"cache-hit-miss-count": 1 + read.get("cache-hit-miss-count", 0)}  # the course has no leaf nodes
    ignored = {"ignored-event-count": 1} if counts == DEAD else {}
    assert counted.rose == {**read, **missing, **ignored}
    assert bool(attempt_row(counting)) == (counts == DONE)
    if counts == DEAD:
        raw, code, _ = letter(counting)
        assert json.loads(raw or b"") == event
        assert code == "TOO_MANY_QUESTIONS"


def test_by_default_nobody_asks_for_the_number_of_questions(chain: Chain) -> None:
    cached(chain, totalQuestions=1)
    assert deliver(chain, attempt(*QUESTIONS)) == DONE
    assert not chain.platform.requests


def test_recomputations_need_no_number_of_questions_and_a_content_is_asked_for_once(counting: Chain) -> None:
    counting.platform.add(contents={"r1": {"totalQuestions": 1}})
    assert deliver(counting, recompute(), recompute(content="r2"))["done"] == 2
    assert not counting.platform.requests
    assert deliver(counting, attempt(), attempt(attempt_id="att-2"), attempt(*QUESTIONS))["dead"] == 1
    assert len(counting.platform.requests_to("GET", "/content/v4/read/r1")) == len(counting.platform.requests) == 1


def test_a_content_that_the_service_does_not_know_is_dead_after_a_few_tries(counting: Chain) -> None:
    counting.send(JOB, counting.record(attempt()))
    with Counted() as counted:
        counting.drain()
    assert counted.rose["api-hit-failed-count"] == 6
    _, code, error = letter(counting)
    assert (code, "404" in error) == ("TRANSIENT", True)
    assert not attempt_row(counting)


@pytest.mark.parametrize("mode", ["503", "drop", "500", "200_error", "timeout"])
def test_the_content_service_fails_for_a_while_and_other_records_go_on(make_chain: MakeChain, mode: str) -> None:
    chain = make_chain(LERN_ASSESSMENT_AGGREGATOR__ASSESSMENT_SKIP_MISSINGRECORDS="true", LERN_HTTP__READ_TIMEOUT="0.3")
    chain.platform.add(contents={"r1": {"totalQuestions": 1}})
    chain.ctx.redis.client("metadata", JOB).set("r2", '{"totalQuestions": 1}')
    switch(chain.platform.switches, content_read=mode, content_read_times=1)
    chain.send(JOB, chain.record(attempt()), chain.record(attempt(content="r2")))
    chain.drain()
    assert attempt_row(chain)
    assert attempt_row(chain, content="r2")
    assert not chain.published.messages


def test_a_content_service_that_is_away_is_asked_for_three_records_at_most(make_chain: MakeChain) -> None:
    chain = make_chain(
        LERN_ASSESSMENT_AGGREGATOR__ASSESSMENT_SKIP_MISSINGRECORDS="true",
        LERN_ASSESSMENT_AGGREGATOR__CONTENT_READ_API="http://127.0.0.1:9/read/",
        LERN_ASSESSMENT_AGGREGATOR__SOFT_TIME_LIMIT="1",
    )
    chain.ctx.redis.client("metadata", JOB).set("r2", '{"totalQuestions": 1}')
    counts = deliver(chain, *(attempt(content=f"r{number}") for number in range(1, 7)))
    assert counts == {"done": 1, "skipped": 0, "again": 5, "dead": 0, "waiting": 2}
    (again,) = chain.sender.to(JOB)
    assert {(record.attempt, record.not_yet) for record in again.records} == {(0, 0)}


def switch(switches: Switches, **values: Any) -> None:
    for name, setting in values.items():
        setattr(switches, name, setting)


@pytest.mark.parametrize(("ts", "created"), [(None, {}), (TS, {"created_on": None})], ids=["attempted", "created"])
def test_a_stored_attempt_without_times_is_left_and_others_go_on(
    chain: Chain, ts: int | None, created: dict[str, Any]
) -> None:
    store_attempt(chain, "r1", "att-1", (3, 5), ts, **created)
    counts = deliver(chain, attempt(ts=TS + 9), attempt(attempt_id="att-2"))
    assert counts == {"done": 1, "skipped": 0, "again": 0, "dead": 1}
    assert letter(chain)[1] == "ATTEMPT_WITHOUT_TIME"
    assert score_row(chain)["aggregates"]["attempts_count:r1"] == 2.0
