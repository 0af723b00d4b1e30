"""Attempts to rows and events: the worked examples."""

import json
from decimal import Decimal
from typing import Any

import pytest

from lern_tasks.metrics import CounterName, value
from lern_tasks.storage.gateway import Delete
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ASSESSMENTS
from tests.harness import golden
from tests.harness.assess_events import TS, answered, attempt, recompute
from tests.harness.attempts import (
    DONE,
    JOB,
    LONG_AGO,
    NOW,
    SKIPPED,
    asked,
    attempt_row,
    deliver,
    score_row,
    store_attempt,
    store_figures,
)
from tests.harness.course import KEY, aggregates, enrol, progress, publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.jobs.assessments.rules.attempts import at

ISSUE = {**golden.ISSUE, "edata": {**golden.ISSUE["edata"], "attemptId": "att-1"}}  # type: ignore[dict-item]


def counted(*names: CounterName) -> list[float]:
    return [value(name, job=JOB) for name in names]


def test_an_attempt_is_stored_and_its_scores_follow(chain: Chain) -> None:
    event = attempt(answered("q1", ets=TS, score=1.5, max_score=2), answered("q2", ets=TS, score=0.33, desc=None))
    assert deliver(chain, event) == DONE
    row = attempt_row(chain)
    questions = {question["id"]: question for question in row.pop("question")}
    assert row == {
        "user_id": "u1",
        "course_id": "do_c1",
        "batch_id": "b1",
        "content_id": "r1",
        "attempt_id": "att-1",
        "created_on": NOW,
        "updated_on": NOW,
        "last_attempted_on": at(TS),
        "total_score": pytest.approx(1.83, abs=1e-9),
        "total_max_score": 3.0,
        "grand_total": "1.83/3.0",
    }
    assert questions["q1"] == {
        "id": "q1",
        "assess_ts": at(TS),
        "max_score": 2.0,
        "score": 1.5,
        "type": "mcq",
        "title": "Colour?",
        "resvalues": [{"2": '{"text":"blue"}'}],
        "params": [{"1": '{"text":"red"}'}, {"answer": '{"correct":["1"]}'}],
        "description": "",
        "duration": Decimal("7.0"),
    }
    assert questions["q2"]["description"] is None
    scores = score_row(chain)
    assert scores["aggregates"] == {
        "score:r1": pytest.approx(1.83, abs=1e-9),
        "max_score:r1": 3.0,
        "attempts_count:r1": 1.0,
    }
    assert scores["agg_last_updated"] == dict.fromkeys(scores["aggregates"], NOW)
    assert [json.loads(text)["last_attempted_on"] for text in scores["agg_details"]] == ["Nov 14, 2023, 10:13:20 PM"]


def test_the_event_that_follows_is_the_documented_one(chain: Chain) -> None:
    deliver(chain, attempt())
    (sent,) = chain.sender.to("collection_cert_pre_processor")
    (record,) = sent.records
    assert json.loads(record.value or "") == ISSUE
    assert (record.topic, record.key) == ("dev.issue.certificate.request", "u1")
    assert record.origin is not None
    assert record.origin.topic == "dev.telemetry.assess"


def test_a_flink_job_as_the_next_stage_gets_the_documented_event(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_COLLECTION_CERT_PRE_PROCESSOR__HAND_OFF="kafka")
    deliver(chain, attempt())
    assert chain.events("dev.issue.certificate.request") == [ISSUE]
    assert not chain.sender.sent


def test_the_worked_example_of_scores(chain: Chain) -> None:
    store_figures(chain, completedCount=7.0)
    store_attempt(chain, "do_a", "att-1", (3, 5), 1_700_000_000_000)
    store_attempt(chain, "do_a", "att-3", (4, 10), 1_700_000_050_000)
    store_attempt(chain, "do_b", "att-9", (1, 2), 1_700_000_200_000)
    four_of_five = attempt(answered(score=4, max_score=5), ts=1_700_000_100_000, attempt_id="att-2", content="do_a")
    assert deliver(chain, four_of_five) == DONE
    row = score_row(chain)
    assert row["aggregates"] == {
        "completedCount": 7.0,
        "score:do_a": 4.0,
        "max_score:do_a": 5.0,
        "attempts_count:do_a": 3.0,
        "score:do_b": 1.0,
        "max_score:do_b": 2.0,
        "attempts_count:do_b": 1.0,
    }
    assert row["agg_last_updated"] == {**dict.fromkeys(row["aggregates"], NOW), "completedCount": LONG_AGO}
    assert len(row["agg_details"]) == 4
    assert asked(chain) == [("u1", "")]


@pytest.mark.parametrize(("ts", "counts", "total"), [(TS - 1, SKIPPED, 3.0), (TS, SKIPPED, 3.0), (TS + 1, DONE, 1.0)])
def test_a_stored_attempt_is_replaced_by_a_newer_version_alone(
    chain: Chain, ts: int, counts: dict[str, int], total: float
) -> None:
    store_attempt(chain, "r1", "att-1", (3, 5), TS)
    names: tuple[CounterName, ...] = ("db-read-count", "db-update-count", "batch-success-event-count")
    before = counted(*names)
    assert deliver(chain, attempt(answered(score=1), ts=ts)) == counts
    replaced = ts > TS
    assert [after - then for after, then in zip(counted(*names), before, strict=True)] == [1, replaced, replaced]
    row = attempt_row(chain)
    assert (row["total_score"], row["created_on"]) == (total, LONG_AGO)
    assert row["updated_on"] == (NOW if replaced else LONG_AGO)
    # T1: an equal version may be the delivery after a death: its scores are written again.
    assert asked(chain) == ([] if ts < TS else [("u1", "att-1")])
    assert score_row(chain).get("aggregates", {}).get("score:r1") == (None if ts < TS else total)


def test_an_older_version_that_was_delivered_before_has_its_scores_written(chain: Chain) -> None:
    store_attempt(chain, "r1", "att-1", (3, 5), TS)
    assert deliver(chain, attempt(ts=TS - 1), delivered_before=True) == DONE
    assert score_row(chain)["aggregates"]["score:r1"] == 3.0
    assert asked(chain) == [("u1", "att-1")]


def test_a_newer_version_replaces_all_answers(chain: Chain) -> None:
    deliver(chain, attempt(answered("q1"), answered("q2"), ts=TS))
    chain.time_ms += 1_000
    deliver(chain, attempt(answered("q2", score=0), ts=TS + 1))
    row = attempt_row(chain)
    assert [question["id"] for question in row["question"]] == ["q2"]
    assert (row["grand_total"], row["created_on"], row["updated_on"]) == ("0.0/1.0", NOW, at(1_700_000_001_000))


@pytest.mark.parametrize("packed", [True, False])
def test_versions_in_one_message_are_as_those_in_many(chain: Chain, packed: bool) -> None:
    events = [
        attempt(answered(score=2), ts=TS + 2),
        attempt(answered(score=9), ts=TS + 2),
        attempt(answered(score=1), ts=TS + 1),
        attempt(answered(score=3), ts=TS + 3),
        attempt(answered(score=5), attempt_id="att-2"),
    ]
    counts = [deliver(chain, *events)] if packed else [deliver(chain, event) for event in events]
    assert (sum(each["done"] for each in counts), sum(each["skipped"] for each in counts)) == (3, 2)
    assert [attempt_row(chain, name)["total_score"] for name in ("att-1", "att-2")] == [3.0, 5.0]
    assert score_row(chain)["aggregates"] == {"score:r1": 5.0, "max_score:r1": 1.0, "attempts_count:r1": 2.0}
    assert asked(chain)[-1] == ("u1", "att-1")
    # One request for each enrolment and message; the older version alone asks for nothing.
    assert len(asked(chain)) == (1 if packed else 4)


def test_records_of_many_learners_share_reads_and_writes(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, int]] = []
    for name in ("get_many", "select_many", "apply"):
        plain = getattr(chain.store, name)

        def recorded(*args: Any, _plain: Any = plain, _name: str = name) -> Any:
            calls.append((_name, len(args[0] if _name == "apply" else args[1])))
            return _plain(*args)

        monkeypatch.setattr(chain.store, name, recorded)
    monkeypatch.setattr(chain.ctx, "gateway", chain.store)
    keys = [EnrolmentKey(user_id=f"u{number}", course_id="do_c1", batch_id="b1") for number in range(5)]
    events = [attempt(key=key, attempt_id=name) for key in keys for name in ("att-1", "att-2")]
    assert deliver(chain, *events)["done"] == 10
    assert calls == [("select_many", 5), ("apply", 10), ("apply", 15)]
    (sent,) = chain.sender.to("collection_cert_pre_processor")
    assert len(sent.records) == 5


def test_progress_and_scores_of_one_learner_live_in_one_row(chain: Chain) -> None:
    publish(chain)
    enrol(chain)
    deliver(chain, attempt())
    progress(chain, "r1")
    deliver(chain, attempt(ts=TS + 1))
    assert aggregates(chain)["do_c1"] == 1.0
    assert set(score_row(chain)["aggregates"]) == {"completedCount", "score:r1", "max_score:r1", "attempts_count:r1"}


@pytest.mark.parametrize("setting", ["false", "true"])
def test_a_recomputation_without_attempts_writes_nothing_and_asks(make_chain: MakeChain, setting: str) -> None:
    chain = make_chain(LERN_ASSESSMENT_AGGREGATOR__REMOVE_STALE_SCORES=setting)
    before = counted("recompute-agg-event-count", "db-score-read-count", "db-score-update-count")
    assert deliver(chain, recompute()) == DONE
    after = counted("recompute-agg-event-count", "db-score-read-count", "db-score-update-count")
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 0]
    assert score_row(chain) == {}
    assert asked(chain) == [("u1", "")]
    assert not chain.rows(ASSESSMENTS, ("u1", "do_c1", "b1"))


def test_a_recomputation_rebuilds_the_scores_and_leaves_stale_ones(chain: Chain) -> None:
    store_figures(chain, completedCount=2.0, score__r1=9.0, score__gone=4.0)
    store_attempt(chain, "r1", "att-1", (3, 5), None)
    assert deliver(chain, recompute()) == DONE
    assert score_row(chain)["aggregates"] == {
        "completedCount": 2.0,
        "score:r1": 3.0,
        "max_score:r1": 5.0,
        "attempts_count:r1": 1.0,
        "score:gone": 4.0,
    }
    # T11: the attempt has no time, and is the latest all the same.
    assert asked(chain) == [("u1", "att-1")]
    assert attempt_row(chain)["updated_on"] == LONG_AGO


@pytest.mark.parametrize("left", [True, False], ids=["one left", "none left"])
def test_stale_scores_are_removed_by_a_recomputation_when_that_is_switched_on(
    make_chain: MakeChain, left: bool
) -> None:
    chain = make_chain(LERN_ASSESSMENT_AGGREGATOR__REMOVE_STALE_SCORES="true")
    deliver(chain, attempt(content="r2"))
    stale = {"score__gone": 4.0, "max_score__gone": 4.0, "attempts_count__gone": 1.0}
    store_figures(chain, completedCount=2.0, other=1.0, **stale)
    if not left:
        chain.store.apply([_deleted("r2")])
    assert score_row(chain)["agg_details"]
    assert deliver(chain, attempt(content="r3", attempt_id="att-3")) == DONE
    assert score_row(chain)["aggregates"]["score:gone"] == 4.0  # an attempt removes nothing
    chain.store.apply([_deleted("r3", "att-3")])
    for _ in range(2):
        assert deliver(chain, recompute()) == DONE
        row = score_row(chain)
        kept = {"completedCount": 2.0, "other": 1.0}
        scores = {"score:r2": 1.0, "max_score:r2": 1.0, "attempts_count:r2": 1.0} if left else {}
        assert row["aggregates"] == {**kept, **scores}
        assert row["agg_last_updated"].keys() == row["aggregates"].keys()
        assert row["agg_last_updated"]["completedCount"] == LONG_AGO
        assert len(row.get("agg_details", [])) == left


def _deleted(content: str, name: str = "att-1") -> Delete:
    return Delete(table=ASSESSMENTS, key=(KEY.user_id, KEY.course_id, KEY.batch_id, content, name))
