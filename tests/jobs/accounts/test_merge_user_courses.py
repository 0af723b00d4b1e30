"""What a merge of accounts leaves in the rows, and what it says to others."""

from typing import Any

import pytest

from lern_tasks.metrics import CounterName, value
from lern_tasks.sunbird.tables import ACTIVITY_AGG, ASSESSMENTS, CONTENT_CONSUMPTION, ENROLMENTS
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import NOW_MS, Chain
from tests.harness.merges import (
    CERTIFICATE,
    COPIED,
    EARLY,
    INACTIVE,
    JOB,
    LATE,
    LOOSE,
    MERGED,
    NEW,
    OLD,
    OWN,
    RECOMPUTE,
    RECONCILE,
    SHARED,
    account,
    attempted,
    cells,
    enrolled,
    figured,
    merge,
    prepare,
    published,
    reconciled,
    run,
    undone,
    used,
)


def content(chain: Chain, *, place: tuple[str, str] = SHARED, content_id: str = "r1") -> dict[str, Any]:
    row = chain.row(CONTENT_CONSUMPTION, (NEW, *place, content_id))
    return {name: found for name, found in row.items() if name not in CONTENT_CONSUMPTION.key}


def figures(chain: Chain, place: tuple[str, str] = SHARED) -> dict[str, Any]:
    return chain.row(ACTIVITY_AGG, ("Course", place[0], NEW, f"cb:{place[1]}"))


def enrolment(chain: Chain, place: tuple[str, str], user: str = NEW) -> dict[str, Any]:
    row = chain.row(ENROLMENTS, (user, *place))
    return {name: found for name, found in row.items() if name != "userid"}


def test_contents_of_both_are_merged_and_a_redelivery_changes_nothing(chain: Chain) -> None:
    prepare(chain)
    used(chain, OLD, SHARED, "r1", progressdetails='{"p":9}')
    for _ in range(3):
        assert run(chain) == {"done": 1}
        assert content(chain) == {
            "status": 2,
            "progress": 100,
            "viewcount": 5,
            "completedcount": 1,
            "last_access_time": LATE,
        }


def test_a_content_without_row_is_copied_whole(chain: Chain) -> None:
    prepare(chain)
    run(chain)
    assert content(chain, place=COPIED, content_id="r9") == {
        "status": 2,
        "viewcount": 4,
        "completedcount": 2,
        "progressdetails": '{"p":9}',
    }
    assert chain.row(CONTENT_CONSUMPTION, (NEW, *COPIED, "r9"))["userid"] == NEW
    assert content(chain, place=LOOSE) == {"status": 1, "viewcount": 1}
    assert content(chain, place=OWN) == {"status": 1}


def test_ids_that_differ_in_case_are_different_rows(chain: Chain) -> None:
    used(chain, OLD, SHARED, "R1", status=2)
    used(chain, NEW, SHARED, "r1", status=1)
    run(chain)
    assert (content(chain), content(chain, content_id="R1")) == ({"status": 1}, {"status": 2})


def test_a_later_merge_of_the_same_accounts_adds_what_is_new(chain: Chain) -> None:
    used(chain, OLD, SHARED, "r1", viewcount=3)
    used(chain, NEW, SHARED, "r1", viewcount=2)
    seen = []
    for theirs, ours in ((3, None), (3, None), (3, 9), (5, None), (5, None)):
        used(chain, OLD, SHARED, "r1", viewcount=theirs)
        if ours:
            used(chain, NEW, SHARED, "r1", viewcount=ours)
        run(chain)
        seen.append(content(chain)["viewcount"])
    assert seen == [5, 5, 9, 11, 11]


def test_only_the_count_of_the_figures_is_put(chain: Chain) -> None:
    prepare(chain)
    figured(chain, NEW, SHARED, agg={"old": 1}, agg_last_updated={"score:r3": EARLY})
    run(chain)
    found = figures(chain)
    assert found["aggregates"] == {"completedCount": 2.0, "score:r3": 9.0, "max_score:r3": 10.0}
    assert found["agg_details"] == ["t1", "t2"]
    assert found["agg"] == {"old": 1}
    assert found["agg_last_updated"]["score:r3"] == EARLY
    assert found["agg_last_updated"]["completedCount"].timestamp() * 1000 == NOW_MS
    assert figures(chain, COPIED)["aggregates"] == {"completedCount": 1.0}


@pytest.mark.parametrize(
    ("source", "target", "result"), [(4, None, 4), (None, None, 0), (2, 5, 5), (None, 5, 5), (5, 2, 5)]
)
def test_figures_without_counterpart(chain: Chain, source: int | None, target: int | None, result: int) -> None:
    enrolled(chain, OLD, SHARED)
    figured(chain, OLD, SHARED, aggregates={"score:r1": 3.0} | ({} if source is None else {"completedCount": source}))
    if target is not None:
        figured(chain, NEW, SHARED, aggregates={"completedCount": target})
    run(chain)
    assert figures(chain)["aggregates"] == {"completedCount": result}
    # The time of a count that did not change stays as well: nobody counted.
    assert ("agg_last_updated" in figures(chain)) == (result != target)


def test_enrolments_of_the_source_alone_are_copied_whole_and_others_stay(chain: Chain) -> None:
    prepare(chain)
    before = enrolment(chain, SHARED)
    run(chain)
    for place in (COPIED, INACTIVE):
        assert enrolment(chain, place) == enrolment(chain, place, OLD)
    assert enrolment(chain, COPIED)["issued_certificates"] == [CERTIFICATE]
    assert enrolment(chain, INACTIVE)["active"] is False
    assert enrolment(chain, SHARED) == before
    assert enrolment(chain, LOOSE) == {}
    assert chain.row(ENROLMENTS, (NEW, *COPIED))["userid"] == NEW


def test_the_worked_example_of_enrolments(chain: Chain) -> None:
    enrolled(chain, OLD, ("c", "b1"), status=2, issued_certificates=[CERTIFICATE])
    enrolled(chain, OLD, ("c", "b2"), active=False)
    enrolled(chain, NEW, ("c", "b1"), status=1)
    enrolled(chain, NEW, ("c", "b3"))
    run(chain)
    rows = {row["batchid"]: row for row in chain.rows(ENROLMENTS, (NEW,))}
    assert {batch: (row["status"], row["active"]) for batch, row in rows.items()} == {
        "b1": (1, True),
        "b2": (0, False),
        "b3": (0, True),
    }
    assert "issued_certificates" not in rows["b1"]


def test_the_same_batch_under_another_course_keeps_the_enrolment_from_being_copied(chain: Chain) -> None:
    enrolled(chain, OLD, ("do_c1", "b1"), status=2)
    enrolled(chain, NEW, ("do_c9", "b1"))
    run(chain)
    assert [row["courseid"] for row in chain.rows(ENROLMENTS, (NEW,))] == ["do_c9"]


def test_the_sources_rows_are_the_same_byte_for_byte(chain: Chain) -> None:
    prepare(chain)
    before = cells(chain, OLD)
    for _ in range(2):
        run(chain)
        chain.drain()
    assert cells(chain, OLD) == before
    assert not undone(chain)


def test_attempts_are_not_copied_by_default(chain: Chain) -> None:
    prepare(chain)
    attempted(chain, OLD, SHARED, "r1", "a1")
    run(chain)
    assert account(chain, NEW)["attempts"] == []
    assert not list(chain.sender.to("assessment_aggregator"))


def test_attempts_are_copied_by_setting_and_their_scores_computed_anew(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_MERGE_USER_COURSES__COPY_ATTEMPTS="true")
    prepare(chain)
    attempted(chain, OLD, SHARED, "r1", "a1", total_score=2.0, question=[{"id": "q1", "score": 2.0}])
    attempted(chain, OLD, SHARED, "r1", "a2", last_attempted_on=EARLY)
    attempted(chain, NEW, SHARED, "r1", "a2", last_attempted_on=LATE, total_score=0.5)
    attempted(chain, OLD, SHARED, "r2", "a3")
    attempted(chain, NEW, SHARED, "r2", "a3")
    assert run(chain) == {"done": 1}
    rows = {row["attempt_id"]: row for row in chain.rows(ASSESSMENTS, (NEW, *SHARED))}
    assert {attempt: row["total_score"] for attempt, row in rows.items()} == {"a1": 2.0, "a2": 0.5, "a3": 1.0}
    assert rows["a1"]["question"][0]["id"] == "q1"
    # One request a content with attempts of the source.
    assert chain.sent_events("assessment_aggregator") == [RECOMPUTE, {**RECOMPUTE, "contentId": "r2"}]
    chain.drain()
    assert figures(chain)["aggregates"]["score:r1"] == 2.0
    assert figures(chain)["aggregates"]["attempts_count:r1"] == 2.0


def test_the_events_as_documented(chain: Chain) -> None:
    enrolled(chain, OLD, SHARED)
    run(chain)
    assert chain.events("coursebatch.job.request") == [MERGED]
    assert chain.sent_events("enrolment_reconciliation") == [RECONCILE]
    assert [message.key for message in chain.published.to("coursebatch.job.request")] == [None]


def test_every_enrolment_is_told_about_and_those_of_both_are_reconciled(chain: Chain) -> None:
    prepare(chain)
    run(chain)
    assert published(chain) == [SHARED, COPIED, INACTIVE, OWN]
    assert reconciled(chain) == [SHARED, COPIED, INACTIVE]
    # The same event once more, from the topic: what an earlier delivery handed on may have been lost with the broker.
    run(chain)
    assert published(chain)[4:] == [SHARED, COPIED, INACTIVE, OWN]
    assert reconciled(chain)[3:] == [SHARED, COPIED, INACTIVE]


def test_an_enrolment_that_is_not_there_is_not_reconciled(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_ENROLMENT_RECONCILIATION__ACTIVITY_FILTER_PROCESSED_ENROLMENTS="false")
    prepare(chain)
    run(chain)
    chain.drain()
    assert LOOSE not in reconciled(chain)
    assert enrolment(chain, LOOSE) == {}


def test_our_own_aggregator_does_not_reconcile_a_second_time(chain: Chain) -> None:
    prepare(chain)
    run(chain)
    before = len(reconciled(chain))
    events = chain.events("coursebatch.job.request")
    counts = chain.run("activity_aggregate_updater", *(chain.record(event) for event in events))
    assert counts["skipped"] == len(events)
    assert len(reconciled(chain)) == before


def test_progress_after_the_merge_is_that_of_both(chain: Chain) -> None:
    """The aggregates' maximum is 2, and the truth 3: contents r1 and r2 of one account, r3 of the other."""
    prepare(chain)
    run(chain)
    assert figures(chain)["aggregates"]["completedCount"] == 2.0
    chain.drain()
    found = enrolment(chain, SHARED)
    assert (found["status"], found["progress"], found["contentstatus"]) == (2, 3, {"r1": 2, "r2": 2, "r3": 2})
    assert figures(chain)["aggregates"] == {"completedCount": 3.0, "score:r3": 9.0, "max_score:r3": 10.0}
    assert enrolment(chain, COPIED)["issued_certificates"] == [CERTIFICATE]


def test_by_kafka_reconciliation_is_reached_through_its_topic(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_ENROLMENT_RECONCILIATION__HAND_OFF="kafka")
    enrolled(chain, OLD, SHARED)
    run(chain)
    assert chain.events("batch.enrolment.sync.request") == [RECONCILE]
    assert not chain.sender.sent


def test_counters(chain: Chain) -> None:
    names: list[CounterName] = [
        "total-events-count",
        "success-events-count",
        "failed-events-count",
        "skipped-event-count",
        "db-update-user-course-batch",
    ]
    prepare(chain)
    before = [value(name, job=JOB) for name in names]
    chain.run(JOB, chain.record(merge()), chain.record(merge(OLD, OLD)))
    assert [value(name, job=JOB) - was for name, was in zip(names, before, strict=True)] == [2, 1, 1, 0, 4]


def test_accounts_without_anything(chain: Chain) -> None:
    assert run(chain) == {"done": 1}
    assert not chain.sender.sent
    assert not chain.published.messages
