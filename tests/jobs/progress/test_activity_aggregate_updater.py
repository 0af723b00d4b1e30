"""The worked examples of progress on rows and events."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from lern_tasks.sunbird.tables import ENROLMENTS
from tests.harness import golden
from tests.harness.course import KEY, ROW, aggregates, consumed, consumption, enrol, progress, publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.scenario import finished

JOB: Final = "activity_aggregate_updater"
FAILED = "activity.agg.failed"
CHECKSUM = "AF9B745F3F5E088EEEA7CF64CE4B933C"
NOW = datetime.fromtimestamp(1_700_000_000, tz=UTC)


def audit_types(chain: Chain) -> list[str]:
    return [event["edata"]["type"] for event in chain.events("telemetry.raw")]


@pytest.mark.parametrize(
    ("stored", "written", "audits"),
    [
        ({}, {"viewcount": 1, "completedcount": 1}, ["start", "complete"]),
        ({"status": 2}, {"status": 2, "viewcount": 1, "completedcount": 1}, ["start", "complete"]),
        (
            {"status": 1, "viewcount": 3, "completedcount": 0},
            {"status": 1, "viewcount": 4, "completedcount": 1},
            ["complete"],
        ),
        (
            {"status": 2, "viewcount": 3, "completedcount": 1},
            {"status": 2, "viewcount": 4, "completedcount": 2},
            [],
        ),
    ],
)
def test_counts_of_a_completed_content(
    chain: Chain, stored: dict[str, int], written: dict[str, int], audits: list[str]
) -> None:
    publish(chain)
    enrol(chain)
    if stored:
        consumed(chain, "r1", KEY, **stored)
    consumed(chain, "r2")
    consumed(chain, "r3", status=2, viewcount=5, completedcount=2)
    assert progress(chain, "r1")["done"] == 1
    assert consumption(chain, "r1") == written
    assert consumption(chain, "r2") == {}
    assert consumption(chain, "r3") == {"status": 2, "viewcount": 5, "completedcount": 2}
    assert audit_types(chain) == audits


@pytest.mark.parametrize(
    ("stored", "event", "expected", "status"),
    [
        ({}, ["r1"], {"do_c1": 1, "un1": 1}, 1),
        ({"r2": 1}, ["r1", "r3"], {"do_c1": 2, "un1": 1, "un2": 1}, 1),
        ({"r1": 2}, ["r2", "r3"], {"do_c1": 3, "un1": 2, "un2": 1}, 2),
        ({"r1": 2}, ["r2", "r4"], {"do_c1": 2, "un1": 2, "un2": 0}, 1),
        ({"r1": 2, "r9": 2}, ["r2", "r3"], {"do_c1": 3, "un1": 2, "un2": 1}, 2),
    ],
)
def test_aggregates_and_enrolment(
    chain: Chain, stored: dict[str, int], event: list[str], expected: dict[str, int], status: int
) -> None:
    publish(chain)
    enrol(chain)
    for content, number in stored.items():
        consumed(chain, content, status=number)
    progress(chain, *event)
    assert aggregates(chain) == expected
    row = chain.row(ENROLMENTS, ROW)
    assert (row["status"], row["progress"]) == (status, expected["do_c1"])
    assert row["contentstatus"] == stored | dict.fromkeys(event, 2)
    assert row["datetime"] == NOW
    assert row.get("completedon") == (NOW if status == 2 else None)
    assert len(list(chain.sender.to("collection_cert_pre_processor"))) == (status == 2)


@pytest.mark.parametrize(
    ("cells", "filtered", "expected"),
    [
        (None, "true", {}),
        (None, "false", {"status": 1, "progress": 1}),
        ({"status": 0}, "true", {"status": 1, "progress": 1}),
        ({"status": 1}, "true", {"status": 1, "progress": 1}),
        ({"status": 0, "active": False}, "true", {"status": 1, "progress": 1}),
        ({"status": 2, "progress": 3}, "true", {"status": 2, "progress": 3}),
        ({"status": 2, "progress": 3}, "false", {"status": 2, "progress": 1}),
    ],
)
def test_which_enrolments_are_written(
    make_chain: MakeChain, cells: dict[str, Any] | None, filtered: str, expected: dict[str, int]
) -> None:
    chain = make_chain(LERN_ACTIVITY_AGGREGATE_UPDATER__ACTIVITY_FILTER_PROCESSED_ENROLMENTS=filtered)
    publish(chain)
    if cells is not None:
        enrol(chain, **cells)
    progress(chain, "r1")
    row = chain.row(ENROLMENTS, ROW)
    assert {name: row[name] for name in ("status", "progress") if name in row} == expected


def test_the_events_of_a_completion_are_the_documented_ones(chain: Chain) -> None:
    publish(chain)
    enrol(chain)
    for content in ("r2", "r3"):
        consumed(chain, content, status=2, viewcount=1, completedcount=1)
    progress(chain, "r1")
    assert chain.events("telemetry.raw") == [golden.CONTENT_STARTED, golden.CONTENT_COMPLETED, golden.COURSE_COMPLETED]
    (sent,) = chain.sender.to("collection_cert_pre_processor")
    (record,) = sent.records
    assert json.loads(record.value or "") == golden.ISSUE
    assert (record.topic, record.key) == ("dev.issue.certificate.request", "u1")
    assert record.origin is not None
    assert record.origin.topic == "dev.test"


@pytest.mark.parametrize("packed", [False, True])
def test_three_events_complete_a_course_whose_contents_are_stored(chain: Chain, packed: bool) -> None:
    publish(chain)
    enrol(chain, status=1)
    for content in ("r1", "r2", "r3", "r4"):
        consumed(chain, content, status=2, viewcount=1, completedcount=0)
    records = [chain.record(finished(KEY, [content])) for content in ("r1", "r2", "r3")]
    for group in [records] if packed else [[record] for record in records]:
        assert chain.run(JOB, *group)["done"] == len(group)
    assert sorted(audit_types(chain)) == ["complete"] * 3 + ["enrol-complete"]
    requests = chain.sent_events("collection_cert_pre_processor")
    # Once at the completion, and until a certificate is there with each later event: the next job drops what is issued.
    assert len(requests) == (1 if packed else 3)
    dedup = chain.ctx.redis.client("dedup")
    assert {len(name) for name in dedup.keys("*")} == {32}
    assert len(dedup.keys("*")) == 3
    assert dedup.get(CHECKSUM) == ""
    assert 604_700 < dedup.ttl(CHECKSUM) <= 604_800


def test_a_redelivery_and_a_second_event_change_nothing(chain: Chain) -> None:
    publish(chain)
    enrol(chain)
    progress(chain, "r1")
    before = chain.row(ENROLMENTS, ROW), consumption(chain, "r1"), aggregates(chain), audit_types(chain)
    assert progress(chain, "r1") == {"done": 0, "skipped": 1, "again": 0, "dead": 0}
    assert (chain.row(ENROLMENTS, ROW), consumption(chain, "r1"), aggregates(chain), audit_types(chain)) == before


def test_without_deduplication_each_event_counts(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_ACTIVITY_AGGREGATE_UPDATER__ACTIVITY_INPUT_DEDUP_ENABLED="false")
    publish(chain)
    enrol(chain)
    assert [progress(chain, "r1")["done"] for _ in range(2)] == [1, 1]
    assert consumption(chain, "r1") == {"viewcount": 2, "completedcount": 2}
    assert audit_types(chain) == ["start", "complete"]
    assert not chain.ctx.redis.client("dedup").keys("*")


def test_units_can_be_left_out(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_ACTIVITY_AGGREGATE_UPDATER__ACTIVITY_MODULE_AGGS_ENABLED="false")
    publish(chain)
    enrol(chain)
    progress(chain, "r1")
    assert aggregates(chain) == {"do_c1": 1}


def test_a_retired_course_is_counted_and_nothing_more(chain: Chain) -> None:
    chain.platform.add(contents={"do_c1": {"status": "Retired"}})
    enrol(chain)
    assert progress(chain, "r1")["done"] == 1
    assert consumption(chain, "r1") == {"viewcount": 1, "completedcount": 1}
    assert audit_types(chain) == ["start", "complete"]
    assert aggregates(chain) == {}
    assert chain.row(ENROLMENTS, ROW)["status"] == 0
    assert not chain.sender.sent
    # Marked as seen, so that it is not counted for ever.
    assert progress(chain, "r1")["skipped"] == 1


def test_a_live_course_without_leaf_nodes_is_waited_for_and_its_relations_asked_for(chain: Chain) -> None:
    chain.platform.add(contents={"do_c1": {"status": "Live"}})
    enrol(chain)
    assert progress(chain, "r1", "r2")["again"] == 1
    assert consumption(chain, "r1") == {}
    assert not chain.published.messages
    (request,) = chain.sent_events("relation_cache_updater")
    assert (request["edata"]["action"], request["edata"]["identifier"]) == ("relation-cache-update", "do_c1")
    # The hierarchy comes, the request and the waiting record are run: nothing of the event is lost.
    publish(chain)
    chain.drain()
    assert aggregates(chain) == {"do_c1": 2, "un1": 2}
    assert not chain.published.to("failed")


def test_a_course_that_never_comes_is_a_dead_letter_that_says_what_to_do(chain: Chain) -> None:
    enrol(chain)
    event = finished(KEY, ["r1"])
    chain.send(JOB, chain.record(event))
    chain.drain()
    (letter,) = chain.published.to(FAILED)
    headers = dict(letter.headers)
    assert json.loads(letter.value or b"") == event
    assert headers["lern-code"] == b"NOT_YET"
    assert b"do_c1" in headers["lern-error"]


def test_the_search_service_away_delays_only_courses_without_leaf_nodes(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_ACTIVITY_AGGREGATE_UPDATER__SERVICE_SEARCH_BASEPATH="http://127.0.0.1:9")
    publish(chain)
    enrol(chain)
    other = {**finished(KEY, ["x1"])}
    other["edata"] = other["edata"] | {"courseId": "do_unknown"}
    counts = chain.run(JOB, chain.record(finished(KEY, ["r1"])), chain.record(other))
    assert counts == {"done": 1, "skipped": 0, "again": 1, "dead": 0}
    (again,) = chain.sender.to(JOB)
    assert [(record.not_yet, record.attempt) for record in again.records] == [(0, 0)]


def test_a_flink_job_as_the_next_stage_gets_the_documented_event(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_COLLECTION_CERT_PRE_PROCESSOR__HAND_OFF="kafka")
    publish(chain)
    enrol(chain)
    progress(chain, "r1", "r2", "r3")
    assert chain.events("dev.issue.certificate.request") == [golden.ISSUE]
    assert not chain.sender.sent


def test_records_of_many_enrolments_in_one_message_have_their_own_outcomes(chain: Chain) -> None:
    publish(chain)
    enrol(chain)
    good, skipped = finished(KEY, ["r1"]), {**finished(KEY, ["r1"])}
    skipped["edata"] = skipped["edata"] | {"contents": [{"contentId": "r1", "status": 1}]}
    counts = chain.run(JOB, chain.record(good), chain.record(skipped), chain.record("no JSON"), chain.record(good))
    assert counts == {"done": 2, "skipped": 1, "again": 0, "dead": 1}
    assert consumption(chain, "r1") == {"viewcount": 1, "completedcount": 1}
