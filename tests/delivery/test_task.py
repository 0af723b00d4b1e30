"""What happens to a message around a job: outcomes, retries, outages, poison, dead letters."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lern_tasks.delivery.batch import Batch
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.delivery.task import ReceivedMessage, run_message
from lern_tasks.errors import (
    DependencyDown,
    InvalidEvent,
    LernError,
    LockBusy,
    NotReady,
    RefusedByService,
    SchemaMismatch,
    SettingsError,
    TransientError,
)
from lern_tasks.jobs.relations.refresh_request import relations_request
from tests.harness.fake_resources import FakeResources
from tests.harness.kafka_message import JOB, parse, record, run
from tests.harness.processes import settings_of

FAILED = "dev.lern.tasks.failed"


@pytest.fixture
def ctx(tmp_path: Path) -> FakeResources:
    settings = settings_of(
        {
            "LERN_TASKS__PROBE_MIN": "0.01",
            "LERN_TASKS__PROBE_MAX": "0.02",
            "LERN_RELATION_CACHE_UPDATER__SOFT_TIME_LIMIT": "1",
            "LERN_FILES__URL": tmp_path.as_uri(),
        }
    )
    return FakeResources(settings, tmp_path)


def all_done(batch: Batch[str], ctx: Resources) -> None:
    for entry in batch.open:
        entry.done()


def raising(error: BaseException) -> Callable[[Batch[str], Resources], None]:
    def body(batch: Batch[str], ctx: Resources) -> None:
        raise error

    return body


def headers(ctx: FakeResources, index: int = 0) -> dict[str, str]:
    return {name: value.decode() for name, value in ctx.published.to(FAILED)[index].headers}


def test_outcomes_are_per_record(ctx: FakeResources) -> None:
    counts = run(ctx, all_done, record("a"), record("other"), record("bad"))
    assert counts == {"done": 1, "skipped": 1, "again": 0, "dead": 1}
    (dead,) = ctx.published.to(FAILED)
    assert (dead.value, dead.key) == (b"bad", b"k")
    found = headers(ctx)
    assert (found["lern-job"], found["lern-code"], found["lern-topic"]) == (JOB, "INVALID_EVENT", "dev.t")
    assert (found["lern-partition"], found["lern-offset"], found["lern-task-id"]) == ("0", "7", "id")
    assert not ctx.sent.sent


@pytest.mark.parametrize("value", [b"\xff\xfe{", b"\x00", b"{", b""])
def test_any_bytes_are_a_dead_letter_untouched(ctx: FakeResources, value: bytes) -> None:
    raw = Record.from_kafka(value=value, topic="dev.t", partition=1, offset=2, key=b"\xff", timestamp=5)
    body = raising(InvalidEvent("no JSON"))
    assert run(ctx, body, raw)["dead"] == 1
    (dead,) = ctx.published.to(FAILED)
    assert (dead.value, dead.key) == (value, b"\xff")


def test_a_record_without_outcome_is_a_bug_and_nothing_is_lost(ctx: FakeResources) -> None:
    assert run(ctx, lambda batch, ctx: None, record())["dead"] == 1
    assert headers(ctx)["lern-code"] == "BUG"


def test_a_bug_is_dead_with_its_place_and_says_nothing_of_the_payload(ctx: FakeResources) -> None:
    assert run(ctx, raising(KeyError("Asha Rao")), record())["dead"] == 1
    found = headers(ctx)
    assert found["lern-exception"] == "KeyError"
    assert "test_task.py" in found["lern-trace"]
    assert "Asha" not in str(found)


def test_a_transient_error_is_tried_again_with_what_it_has_spent(ctx: FakeResources) -> None:
    counts = run(ctx, raising(TransientError("timeout")), record("a"), record("b", attempt=5))
    assert counts == {"done": 0, "skipped": 0, "again": 1, "dead": 1}
    (sent,) = ctx.sent.sent
    (again,) = sent.records
    assert (again.value, again.attempt, again.delivered_before) == ("a", 1, True)
    assert sent.countdown is None or 0 < sent.countdown <= 2


def test_the_last_attempt_is_not_spent_while_the_dependency_answers_nobody(ctx: FakeResources) -> None:
    ctx.published.down = True
    counts = run(ctx, raising(TransientError("timeout", dependency="kafka")), record(attempt=5))
    assert counts["again"] == 1
    ctx.published.down = False
    counts = run(ctx, raising(TransientError("timeout", dependency="kafka")), record(attempt=5))
    assert counts["dead"] == 1


def test_a_refusal_is_dead_at_once(ctx: FakeResources) -> None:
    assert run(ctx, raising(RefusedByService("404")), record())["dead"] == 1


def test_an_outage_is_waited_out_in_place_and_spends_nothing(ctx: FakeResources) -> None:
    calls: list[int] = []

    def body(batch: Batch[str], _: Resources) -> None:
        calls.append(len(batch.open))
        if len(calls) < 3:
            raise DependencyDown("kafka")
        all_done(batch, ctx)

    assert run(ctx, body, record("a"), record("b")) == {"done": 2, "skipped": 0, "again": 0, "dead": 0}
    assert calls == [2, 2, 2]
    assert not ctx.sent.sent


def test_an_outage_of_one_record_reopens_only_that_record(ctx: FakeResources) -> None:
    seen: list[list[str]] = []

    def body(batch: Batch[str], _: Resources) -> None:
        seen.append([entry.event for entry in batch.open])
        for entry in batch.open:
            if entry.event == "b" and len(seen) == 1:
                entry.fail(DependencyDown("kafka"))
            else:
                entry.done()

    assert run(ctx, body, record("a"), record("b"))["done"] == 2
    assert seen == [["a", "b"], ["b"]]


def test_a_long_outage_sends_the_records_again_without_countdown_until_they_are_too_old(ctx: FakeResources) -> None:
    ctx.published.down = True
    first = run(ctx, raising(DependencyDown("kafka")), record("a"))
    assert first["again"] == 1
    (sent,) = ctx.sent.sent
    assert sent.countdown is None
    assert (sent.records[0].attempt, sent.records[0].first_failed_ms) == (0, ctx.time_ms)
    ctx.time_ms += 86_400_000
    ctx.published.down = False
    assert run(ctx, raising(DependencyDown("nobody-probes-this")), *sent.records)["dead"] in {0, 1}


def test_a_day_of_outage_is_a_dead_letter(ctx: FakeResources) -> None:
    old = record("a", first_failed_ms=ctx.time_ms - 86_400_000)
    ctx.redis.client("state")

    def down(batch: Batch[str], _: Resources) -> None:
        raise DependencyDown("cassandra")

    ctx.probe = lambda name: (_ for _ in ()).throw(DependencyDown(name))  # type: ignore[method-assign]
    assert run(ctx, down, old)["dead"] == 1
    assert headers(ctx)["lern-code"] == "DEPENDENCY_DOWN"


def test_data_to_come_is_waited_for_in_steps_and_the_relation_cache_is_asked_for_once(ctx: FakeResources) -> None:
    body = raising(NotReady("no leaf nodes", remedy=relations_request("do_1")))
    run(ctx, body, record("a", not_yet=3), record("b"))
    requests = list(ctx.sent.to("relation_cache_updater"))
    request = requests[0].records[0]
    assert '"identifier":"do_1"' in (request.value or "")
    assert sum("relation-cache-update" in (sent.records[0].value or "") for sent in requests) == 1
    again = {sent.countdown: sent.records[0] for sent in requests[1:]}
    assert set(again) == {10.0, 60.0}
    assert again[60.0].not_before_ms == ctx.time_ms + 120_000
    assert again[10.0].not_before_ms is None


def test_a_record_whose_wait_is_not_over_goes_round_untouched(ctx: FakeResources) -> None:
    waiting = record("a", not_before_ms=ctx.time_ms + 90_000, not_yet=2)
    assert run(ctx, raising(AssertionError("must not run")), waiting)["again"] == 1
    (sent,) = ctx.sent.sent
    assert sent.countdown == 60
    assert (sent.records[0].not_before_ms, sent.records[0].not_yet) == (waiting.not_before_ms, 2)


def test_busy_locks_spend_nothing(ctx: FakeResources) -> None:
    run(ctx, raising(LockBusy("busy")), record())
    (sent,) = ctx.sent.sent
    assert (sent.countdown, sent.records[0].attempt) == (1.0, 0)


def test_a_message_delivered_twice_is_split(ctx: FakeResources) -> None:
    ctx.delivery_counter.increment("tag")
    assert run(ctx, raising(AssertionError("must not run")), record("a"), record("b")) == {"split": 2}
    assert [[entry.value for entry in sent.records] for sent in ctx.sent.sent] == [["a"], ["b"]]
    assert len({sent.task_id for sent in ctx.sent.sent}) == 2
    assert all(entry.delivered_before for sent in ctx.sent.sent for entry in sent.records)
    assert ctx.delivery_counter.increment("tag") == 1


def test_a_single_record_is_dead_on_its_fourth_delivery_without_being_run(ctx: FakeResources) -> None:
    for _ in range(3):
        ctx.delivery_counter.increment("tag")
    assert run(ctx, raising(AssertionError("must not run")), record())["dead"] == 1
    assert headers(ctx)["lern-code"] == "KILLS_ITS_WORKER"


def test_a_message_that_ended_leaves_no_delivery_count(ctx: FakeResources) -> None:
    run(ctx, all_done, record())
    assert ctx.delivery_counter.increment("tag") == 1


def test_dead_letters_that_nobody_confirms_go_round_again_and_are_not_lost(ctx: FakeResources) -> None:
    ctx.published.down = True
    counts = run(ctx, all_done, record("bad"), record("a"))
    assert counts == {"done": 1, "skipped": 0, "again": 1, "dead": 0, "waiting": 1}
    (sent,) = ctx.sent.sent
    assert [entry.value for entry in sent.records] == ["bad"]


def test_the_soft_limit_sends_the_rest_singly_and_keeps_what_is_done(ctx: FakeResources) -> None:
    def body(batch: Batch[str], _: Resources) -> None:
        batch.open[0].done()
        from billiard.exceptions import SoftTimeLimitExceeded  # noqa: PLC0415

        raise SoftTimeLimitExceeded

    assert run(ctx, body, record("a"), record("b"), record("c"))["again"] == 2
    assert [[entry.value for entry in sent.records] for sent in ctx.sent.sent] == [["b"], ["c"]]
    assert run(ctx, body, record("x"))["done"] == 1


def test_the_soft_limit_does_not_cut_the_settlement(ctx: FakeResources) -> None:
    publish = ctx.published.publish

    def interrupted(messages: Any) -> list[LernError | None]:
        os.kill(os.getpid(), signal.SIGUSR1)
        return publish(messages)

    ctx.published.publish = interrupted  # type: ignore[method-assign]
    before = signal.signal(signal.SIGUSR1, lambda *_: pytest.fail("the soft limit came through"))
    try:
        assert run(ctx, all_done, record("bad"))["dead"] == 1
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_what_is_no_record_is_kept_as_a_dead_letter(ctx: FakeResources) -> None:
    message = ReceivedMessage(task_id="id", delivery_id="t", wire=[{"nonsense": 1}, "text"])
    assert run_message(JOB, lambda value: parse("bad"), all_done, ctx=ctx, message=message)["dead"] == 2
    assert b"nonsense" in (ctx.published.to(FAILED)[0].value or b"")


def test_state_redis_away_sends_the_message_again(ctx: FakeResources) -> None:
    class Down:
        def increment(self, _: str) -> int:
            raise DependencyDown("redis")

        def reset(self, _: str) -> None:
            raise DependencyDown("redis")

    ctx.delivery_counter = Down()  # type: ignore[assignment]
    ctx.probe = lambda name: (_ for _ in ()).throw(DependencyDown(name))  # type: ignore[method-assign]
    assert run(ctx, all_done, record("a"), record("b")) == {"again": 2}
    assert [entry.value for entry in ctx.sent.sent[0].records] == ["a", "b"]


def test_a_wrong_schema_or_setting_is_no_records_fault(ctx: FakeResources) -> None:
    assert run(ctx, raising(SchemaMismatch("user_enrolments lacks status")), record("a"))["again"] == 1
    assert run(ctx, raising(SettingsError("LERN_X is wrong")), record("a"))["again"] == 1
    assert not ctx.published.messages


def test_an_outage_spends_no_attempt_even_when_calls_only_time_out(ctx: FakeResources) -> None:
    asked: list[str] = []

    def down(name: str) -> None:
        asked.append(name)
        raise DependencyDown(name)

    ctx.probe = down  # type: ignore[method-assign]
    run(ctx, raising(TransientError("no answer in time", "registry")), record("a"), record("b", attempt=5))
    assert [r.attempt for message in ctx.sent.sent for r in message.records] == [0, 5]
    assert asked == ["registry"], "asked once a message: each question may take as long as a call"
