"""What fails around attempts: bad input, outages, timeouts, locks."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from lern_tasks.errors import DependencyDown, LernError, TransientError
from lern_tasks.metrics import value
from lern_tasks.storage.gateway import Mutation
from lern_tasks.sunbird.tables import ACTIVITY_AGG, ASSESSMENTS
from tests.harness.assess_events import attempt
from tests.harness.attempts import AGAIN, DONE, JOB, SKIPPED, asked, attempt_row, deliver, letter, score_row
from tests.harness.fake_resources import FakeResources
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain


@pytest.mark.parametrize("bad", ["no JSON", "[]", None, "5", attempt(userId=""), attempt(events={}), attempt(None)])
def test_bad_input_is_a_dead_letter_as_it_came_and_its_neighbours_are_done(chain: Chain, bad: Any) -> None:
    before = value("failed-event-count", job=JOB)
    assert deliver(chain, attempt(), bad) == {"done": 1, "skipped": 0, "again": 0, "dead": 1}
    assert value("failed-event-count", job=JOB) == before + 1
    raw, code, _ = letter(chain)
    assert raw == (bad.encode() if isinstance(bad, str) else json.dumps(bad).encode() if bad else None)
    assert code == "INVALID_EVENT"
    assert attempt_row(chain)


class Failing:
    """A gateway that answers `error` to the next call that writes `table`, or reads it."""

    def __init__(self, ctx: FakeResources, table: str, error: LernError) -> None:
        self._of, self._table, self.error = ctx.gateway, table, [error]
        ctx.gateway = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)

    def select_many(self, table: Any, prefixes: Sequence[Any], columns: Sequence[str]) -> Any:
        if self._table == "read" and self.error:
            return dict.fromkeys(prefixes, self.error.pop())
        return self._of.select_many(table, prefixes, columns)

    def apply(self, mutations: Sequence[Mutation], **_options: Any) -> list[LernError | None]:
        return [
            self.error.pop() if each.table.name == self._table and self.error else self._of.apply([each])[0]
            for each in mutations
        ]


PLACES = ["read", ASSESSMENTS.name, ACTIVITY_AGG.name]


@pytest.mark.parametrize("place", PLACES)
def test_cassandra_is_waited_for(chain: Chain, place: str) -> None:
    Failing(chain.ctx, place, DependencyDown("cassandra"))
    assert deliver(chain, attempt(), attempt(content="r2"))["done"] == 2
    assert set(score_row(chain)["aggregates"]) >= {"score:r1", "score:r2"}
    assert ("u1", "") in asked(chain)


@pytest.mark.parametrize("place", PLACES)
def test_what_cassandra_did_not_do_in_time_is_tried_again_and_the_rest_is_done(chain: Chain, place: str) -> None:
    Failing(chain.ctx, place, TransientError("a timeout"))
    counts = deliver(chain, attempt(), attempt(content="r2"), attempt(content="r1", courseId="do_c2"))
    assert counts["done"] + counts["again"] == 3
    assert counts["again"] == (2 if place == ACTIVITY_AGG.name else 1 if place == ASSESSMENTS.name else 3)
    if place == ASSESSMENTS.name:
        # Scores are never of an attempt that is not stored.
        assert set(score_row(chain)["aggregates"]) == {"score:r2", "max_score:r2", "attempts_count:r2"}
    (again,) = chain.sender.to(JOB)
    for record in again.records:
        assert chain.run(JOB, record)["done"] == 1
    assert set(score_row(chain)["aggregates"]) >= {"score:r1", "score:r2"}
    assert asked(chain)[-1][0] == "u1"


def test_redis_is_waited_for(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    down = [DependencyDown("redis")]
    plain = chain.ctx.course_relations

    def relations(job: Any) -> Any:
        if down:
            raise down.pop()
        return plain(job)

    monkeypatch.setattr(chain.ctx, "course_relations", relations)
    assert deliver(chain, attempt()) == DONE


def test_the_broker_is_waited_for_and_then_asked(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    down = [DependencyDown("broker")]
    plain = chain.sender.send

    def send(*args: Any, **options: Any) -> None:
        if down:
            raise down.pop()
        plain(*args, **options)

    monkeypatch.setattr(chain.sender, "send", send)
    assert deliver(chain, attempt()) == DONE
    assert asked(chain) == [("u1", "att-1")]


def test_nothing_is_written_while_another_job_works_on_the_enrolment(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_TASKS__LOCK_WAIT="0.1")
    other = chain.ctx.locks.acquire(["progress:u1:do_c1:b1"])
    assert other.tokens
    assert deliver(chain, attempt()) == AGAIN
    assert not attempt_row(chain)
    other.release()
    chain.drain()
    assert attempt_row(chain)


def test_what_was_written_after_the_lock_was_lost_is_done_again(chain: Chain) -> None:
    state = chain.ctx.redis.client("state")

    class Stolen(Failing):
        def apply(self, mutations: Sequence[Mutation], **_options: Any) -> list[LernError | None]:
            state.delete("lern:lock:progress:u1:do_c1:b1")
            return super().apply(mutations)

    Stolen(chain.ctx, "", LernError())
    assert deliver(chain, attempt()) == AGAIN
    assert not asked(chain)
    chain.drain()
    assert asked(chain) == [("u1", "att-1")]
    assert score_row(chain)["aggregates"]["score:r1"] == 1.0


def test_the_same_attempt_again_is_skipped(chain: Chain) -> None:
    assert [deliver(chain, attempt()) for _ in range(2)] == [DONE, SKIPPED]
