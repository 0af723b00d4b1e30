"""Reconciliation on rows and events: the worked examples, and what the Flink job did wrong."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ACTIVITY_AGG, ENROLMENTS
from tests.harness.course import KEY, ROW, aggregates, consumed, consumption, enrol, publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.syncs import JOB, REQUIRED, reconcile, store, sync

PREFIX = "LERN_ENROLMENT_RECONCILIATION__"
NOW = datetime.fromtimestamp(1_700_000_000, tz=UTC)
EARLIER = datetime(2023, 5, 1, tzinfo=UTC)
ALL = {"r1": 2, "r2": 2, "r3": 2, "r4": 2}


def asked(chain: Chain) -> int:
    """How often the certificates of an enrolment were asked for."""
    return len(chain.sent_events("collection_cert_pre_processor"))


@pytest.mark.parametrize(
    ("stored", "before", "figures", "after"),
    [
        ({"r1": 1}, 0, {"do_c1": 0, "un1": 0}, (1, 0)),
        (REQUIRED, 1, {"do_c1": 3, "un1": 2, "un2": 1}, (2, 3)),
        (ALL, 1, {"do_c1": 3, "un1": 2, "un2": 1}, (2, 3)),
        ({"r1": 2, "r4": 2}, 1, {"do_c1": 1, "un1": 1, "un2": 0}, (1, 1)),
        # Contents that have left the course do not help, and stay in the map.
        ({"r1": 2, "r9": 2}, 0, {"do_c1": 1, "un1": 1}, (1, 1)),
        # Done is 2, no other number.
        ({"r1": 3}, 0, {"do_c1": 0, "un1": 0}, (1, 0)),
    ],
)
def test_aggregates_and_enrolment(
    chain: Chain,
    stored: dict[str, int],
    before: int,
    figures: dict[str, int],
    after: tuple[int, int],
) -> None:
    publish(chain)
    enrol(chain, status=before)
    store(chain, stored)
    assert reconcile(chain) == {"done": 1}
    assert aggregates(chain) == figures
    row = chain.row(ENROLMENTS, ROW)
    assert (row["status"], row["progress"]) == after
    assert row["contentstatus"] == stored
    assert row["datetime"] == NOW
    assert row.get("completedon") == (NOW if after[0] == 2 else None)
    assert asked(chain) == (after[0] == 2)
    assert [event["edata"]["type"] for event in chain.events("telemetry.raw")] == ["enrol-complete"] * (after[0] == 2)


@pytest.mark.parametrize(
    ("completed", "status", "progress"), [(None, 1, 0), (0, 1, 0), (1, 2, 1)], ids=["null", "never", "once"]
)
def test_a_content_without_status_counts_by_its_completions(
    chain: Chain, completed: int | None, status: int, progress: int
) -> None:
    publish(chain)
    enrol(chain)
    consumed(chain, "r1", KEY, viewcount=1, **({} if completed is None else {"completedcount": completed}))
    assert reconcile(chain) == {"done": 1}
    row = chain.row(ENROLMENTS, ROW)
    assert (row["contentstatus"], row["progress"]) == ({"r1": status}, progress)


@pytest.mark.parametrize("course", ["known", "unknown"])
def test_without_stored_contents_nothing_is_written_and_the_record_is_skipped(chain: Chain, course: str) -> None:
    if course == "known":
        publish(chain)
    enrol(chain, progress=2, contentstatus={"r1": 2})
    before = chain.row(ENROLMENTS, ROW)
    assert reconcile(chain) == {"skipped": 1}
    assert chain.row(ENROLMENTS, ROW) == before
    assert aggregates(chain) == {}
    assert not chain.sender.sent
    assert not chain.published.messages
    assert not chain.platform.requests_to("POST", "/v3/search")


@pytest.mark.parametrize("issued", [[], [{"identifier": "c1", "name": "Course Merit"}]], ids=["none issued", "issued"])
def test_a_completed_enrolment_is_left_and_its_certificate_is_asked_for(
    chain: Chain, issued: list[dict[str, str]]
) -> None:
    publish(chain)
    enrol(chain, status=2, progress=3, completedon=EARLIER, issued_certificates=issued)
    store(chain, ALL)
    before = chain.row(ENROLMENTS, ROW)
    assert reconcile(chain) == {"done": 1}
    assert chain.row(ENROLMENTS, ROW) == before
    assert aggregates(chain) == {"do_c1": 3, "un1": 2, "un2": 1}
    assert asked(chain) == 1
    assert not chain.published.messages


def test_a_completed_enrolment_that_computes_incomplete_asks_for_nothing(chain: Chain) -> None:
    publish(chain)
    enrol(chain, status=2, progress=3, completedon=EARLIER)
    store(chain, {"r1": 2})
    assert reconcile(chain) == {"done": 1}
    assert chain.row(ENROLMENTS, ROW)["status"] == 2
    assert asked(chain) == 0


def test_without_an_enrolment_only_aggregates_are_written(chain: Chain) -> None:
    publish(chain)
    store(chain, {"r1": 2})
    assert reconcile(chain) == {"done": 1}
    assert aggregates(chain) == {"do_c1": 1, "un1": 1}
    assert chain.row(ENROLMENTS, ROW) == {}


def test_a_completed_row_never_falls_back_without_the_filter(make_chain: MakeChain) -> None:
    chain = make_chain(**{f"{PREFIX}ACTIVITY_FILTER_PROCESSED_ENROLMENTS": "false"})
    publish(chain)
    enrol(chain, status=2, progress=3, completedon=EARLIER)
    store(chain, {"r1": 2})
    assert reconcile(chain) == {"done": 1}
    row = chain.row(ENROLMENTS, ROW)
    assert (row["status"], row["progress"], row["completedon"]) == (2, 1, EARLIER)
    assert row["contentstatus"] == {"r1": 2}


def test_the_date_of_completion_is_set_once(chain: Chain) -> None:
    publish(chain)
    enrol(chain, status=1, completedon=EARLIER)
    store(chain, REQUIRED)
    assert reconcile(chain) == {"done": 1}
    row = chain.row(ENROLMENTS, ROW)
    assert (row["status"], row["completedon"]) == (2, EARLIER)


def test_contents_and_markers_are_only_read(chain: Chain) -> None:
    publish(chain)
    enrol(chain)
    consumed(chain, "r1", status=2, viewcount=3, completedcount=1)
    consumed(chain, "r2")
    assert reconcile(chain) == {"done": 1}
    assert consumption(chain, "r1") == {"status": 2, "viewcount": 3, "completedcount": 1}
    assert consumption(chain, "r2") == {}
    assert not chain.ctx.redis.client("dedup").keys("*")
    assert not chain.events("telemetry.raw")


def test_other_figures_of_the_aggregates_stay(chain: Chain) -> None:
    publish(chain)
    enrol(chain)
    chain.put(ACTIVITY_AGG, ("Course", "do_c1", "u1", "cb:b1"), aggregates={"score:r1": 8.0})
    store(chain, {"r1": 2})
    assert reconcile(chain) == {"done": 1}
    figures = chain.row(ACTIVITY_AGG, ("Course", "do_c1", "u1", "cb:b1"))
    assert figures["aggregates"] == {"score:r1": 8.0, "completedCount": 1.0}
    assert figures["agg_last_updated"] == {"completedCount": NOW}


def test_a_unit_without_leaf_nodes_keeps_its_figure(chain: Chain) -> None:
    publish(chain)
    enrol(chain)
    store(chain, {"r1": 2, "r3": 2})
    reconcile(chain)
    chain.ctx.redis.client("relation_cache").delete("do_c1:un1:leafnodes")
    store(chain, {"r2": 2})
    assert reconcile(chain) == {"done": 1}
    assert aggregates(chain) == {"do_c1": 3, "un1": 1, "un2": 1}


def test_several_requests_for_one_enrolment_are_one_computation(chain: Chain) -> None:
    publish(chain)
    other = EnrolmentKey(user_id="u2", course_id="do_c1", batch_id="b1")
    for key in (KEY, other):
        enrol(chain, key)
        store(chain, REQUIRED, key)
    calls: Counter[str] = Counter()
    chain.ctx.gateway = Counting(chain.ctx.gateway, calls)
    records = [chain.record(sync(key)) for key in (KEY, other, KEY, KEY)]
    assert chain.run(JOB, *records)["done"] == 4
    assert calls == {"get_many": 1, "select_many": 1, "apply": 1}
    (sent,) = chain.sender.to("collection_cert_pre_processor")
    # Each follows the first record of its own enrolment.
    assert [(record.key, record.origin) for record in sent.records] == [
        ("u1", records[0].coordinates),
        ("u2", records[1].coordinates),
    ]
    assert len(chain.events("telemetry.raw")) == 2


class Counting:
    """A gateway whose calls are counted."""

    def __init__(self, of: Any, calls: Counter[str]) -> None:
        self._of, self._calls = of, calls

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name != "close":
            self._calls[name] += 1
        return getattr(self._of, name)
