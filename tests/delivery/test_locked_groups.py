"""The records of a message by what they are about, and each group under its lock."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from lern_tasks.delivery.batch import Batch, BatchRecord, Failed, Skip
from lern_tasks.delivery.locked_groups import Group, HeldGroups, all_locked, grouped, locked_groups
from lern_tasks.delivery.record import Record
from lern_tasks.errors import LernError, LockBusy, TransientError
from lern_tasks.metrics import value
from tests.harness.fake_resources import FakeResources
from tests.harness.processes import settings_of

JOB: Final = "relation_cache_updater"


@pytest.fixture
def ctx(tmp_path: Path) -> FakeResources:
    return FakeResources(settings_of({"LERN_TASKS__LOCK_WAIT": "0.1"}), tmp_path)


def batch(*events: str) -> Batch[str]:
    return Batch([BatchRecord(Record(value=f"{n}", topic="t"), False, event) for n, event in enumerate(events)])


def held(batch: Batch[str], ctx: FakeResources) -> Iterator[HeldGroups[str, str]]:
    groups = grouped(batch, by=lambda event: event)
    return locked_groups(groups.values(), ctx, job=JOB, lock=lambda key: f"lock:{key}", about="thing")


def errors(records: Iterable[BatchRecord[Any]]) -> list[tuple[type[BaseException], str] | None]:
    return [
        (type(record.outcome.error), str(record.outcome.error)) if isinstance(record.outcome, Failed) else None
        for record in records
    ]


def test_records_are_grouped_by_what_they_are_about() -> None:
    records = batch("a", "b", "a", "c")
    records.records[3].skip("not now")
    records.records[2].delivered_before = True
    groups = grouped(records, by=str)
    assert {key: [record.record.value for record in group.records] for key, group in groups.items()} == {
        "a": ["0", "2"],
        "b": ["1"],
    }
    assert [group.delivered_before for group in groups.values()] == [True, False]
    assert groups["a"].cause.value == "0"


def test_what_is_free_is_held_together_with_the_tokens_of_its_locks(ctx: FakeResources) -> None:
    (found,) = held(batch("a", "b", "a"), ctx)
    assert found.keys == ["a", "b"]
    assert found.tokens == {group.key: group.token for group in found.groups}
    assert all(found.tokens.values())
    assert {key: cause.value for key, cause in found.causes.items()} == {"a": "0", "b": "1"}


def test_an_error_is_the_outcome_of_its_group_alone(ctx: FakeResources) -> None:
    records = batch("a", "b", "c")
    for found in held(records, ctx):
        answers: dict[str, int | LernError] = {"a": 1, "b": TransientError("a timeout"), "c": 3}
        assert found.found(answers) == {"a": 1, "c": 3}
        assert [group.key for group in found.open] == ["a", "c"]
        found.fail({"c": TransientError("not written"), "b": TransientError("too late")})
        (kept,) = found.release()
        kept.done()
    assert errors(records) == [None, (TransientError, "a timeout"), (TransientError, "not written")]


def test_outcomes_of_a_group_leave_those_that_there_are(ctx: FakeResources) -> None:
    records = batch("a", "a")
    records.records[0].skip("done before")
    group: Group[str, str] = Group("a", list(records))
    group.skip("nothing to do")
    assert [record.outcome for record in records] == [Skip("done before"), Skip("nothing to do")]
    group.fail(TransientError("late"))
    assert errors(records) == [None, None]


def test_keys_may_share_a_lock(ctx: FakeResources) -> None:
    groups = grouped(batch("a:b", "a", "c"), by=str)
    (found,) = locked_groups(groups.values(), ctx, job=JOB, lock=lambda key: key[0], about="thing")
    assert set(found.keys) == {"a:b", "a", "c"}
    assert found.tokens["a:b"] == found.tokens["a"]
    assert len(found.release()) == 3


def test_what_stays_busy_fails_and_the_rest_is_held(ctx: FakeResources) -> None:
    other = ctx.locks.acquire(["lock:b"])
    records = batch("a", "b")
    covered = []
    for found in held(records, ctx):
        covered.append(found.keys)
        for group in found.release():
            group.done()
    assert covered == [["a"]]
    assert errors(records) == [None, (LockBusy, "another worker is busy with this thing")]
    assert other.release() == frozenset()


def test_a_lock_that_was_lost_fails_what_was_written_under_it(ctx: FakeResources) -> None:
    records = batch("a", "b")
    before = value("lock-lost", job=JOB)
    for found in held(records, ctx):
        ctx.redis.client("state").set("lern:lock:lock:b", "somebody else's")
        (kept,) = found.release()
        assert kept.key == "a"
        kept.done()
    assert errors(records) == [None, (LockBusy, "the lock was lost before the rows were written")]
    assert value("lock-lost", job=JOB) == before + 1


def test_all_locks_or_none(ctx: FakeResources) -> None:
    with all_locked(["a", "b"], ctx, job=JOB, busy="busy") as token:
        assert token > 0
        assert set(ctx.locks.acquire(["a", "b", "c"]).tokens) == {"c"}
        with pytest.raises(LockBusy, match="busy"), all_locked(["d", "b"], ctx, job=JOB, busy="busy"):
            pytest.fail("one of them is held")
    held_again = ctx.locks.acquire(["a", "b", "d"])
    assert set(held_again.tokens) == {"a", "b", "d"}


def test_losing_one_of_all_locks_is_said_at_the_end(ctx: FakeResources) -> None:
    before = value("lock-lost", job=JOB)
    with pytest.raises(LockBusy, match="lost"), all_locked(["a", "b"], ctx, job=JOB, busy="busy"):
        ctx.redis.client("state").set("lern:lock:b", "somebody else's")
    assert value("lock-lost", job=JOB) == before + 1
