"""Who is complete and lacks a certificate that is earned."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lern_tasks import celeryconfig
from lern_tasks.operations import enrolments, issuing
from lern_tasks.operations import missing_certificates as admin_missing_certificates
from lern_tasks.operations.missing_certificates import (
    nightly_missing_certificates,
    start_nightly,
    sweep_missing_certificates,
)
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ENROLMENTS
from tests.delivery.resumable.long_tasks import ONE_PAGE, LongTasks
from tests.harness.course import batch, consumed, enrol, publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.letters import run
from tests.jobs.certificates.rules.certificates import issued
from tests.jobs.relations.rules.trees import content as tree
from tests.jobs.relations.rules.trees import course, unit

NAME = "lern.sweep_missing_certificates"
LATER = datetime(2023, 11, 10, tzinfo=UTC)
EARLIER = datetime(2023, 10, 31, 23, 59, tzinfo=UTC)
SINCE = "2023-11-01"

ROWS: dict[str, dict[str, Any]] = {
    "missing": {"status": 2, "completedon": LATER},
    "on-the-day": {"status": 2, "completedon": datetime(2023, 11, 1, tzinfo=UTC)},
    "no-date": {"status": 2},
    "another-name": {"status": 2, "completedon": LATER, "issued_certificates": issued(("Participation", "p1"))},
    "has-it": {"status": 2, "completedon": LATER, "issued_certificates": issued(("course merit", "c1"))},
    "earlier": {"status": 2, "completedon": EARLIER},
    "left": {"status": 2, "completedon": LATER, "active": False},
    "in-progress": {"status": 1},
}
MISSING = ["another-name", "missing", "no-date", "on-the-day"]


def seed(chain: Chain) -> None:
    for user, cells in ROWS.items():
        key = EnrolmentKey(user_id=user, course_id="do_c1", batch_id="b1")
        batch(chain, "Course Merit", key=key)
        enrol(chain, key, **cells)
    # A batch without a template misses nothing.
    enrol(chain, EnrolmentKey(user_id="missing", course_id="do_c2", batch_id="b7"), status=2, completedon=LATER)


@pytest.fixture
def tasks(chain: Chain) -> LongTasks:
    seed(chain)
    return LongTasks(chain, sweep_missing_certificates)


def test_a_report_names_them_and_sends_nothing(tasks: LongTasks) -> None:
    answer = tasks.finish(NAME, since=SINCE)
    assert sorted(one["user_id"] for one in answer["first"]) == MISSING
    assert (answer["learners"], answer["certificates"], answer["asked"], answer["fix"]) == (4, 4, 0, False)
    assert answer["groups"] == {"do_c1 b1": 4}
    assert answer["since"] == "2023-11-01T00:00:00+00:00"
    assert answer["message"] == (
        "6 complete enrolments; 4 certificates of 4 of them would be asked for. Nothing was sent."
    )
    assert not tasks.chain.sender.sent


def test_what_is_missing_is_asked_for_and_then_nothing_is_missing(tasks: LongTasks) -> None:
    chain = tasks.chain
    assert tasks.finish(NAME, since=SINCE, fix=True)["asked"] == 4
    assert {sent.queue for sent in chain.sender.to("collection_cert_pre_processor")} == {"bulk"}
    chain.drain()
    names = {
        user: [e["name"] for e in chain.row(ENROLMENTS, (user, "do_c1", "b1")).get("issued_certificates", [])]
        for user in ROWS
    }
    assert sorted(user for user, found in names.items() if "Course Merit" in found) == MISSING
    assert names["another-name"] == ["Participation", "Course Merit"]
    assert tasks.finish(NAME, since=SINCE)["learners"] == 0


@pytest.mark.parametrize("death", [None, 3, 8, 15, 25])
def test_page_by_page_with_a_death_it_finds_the_same(
    make_chain: MakeChain, monkeypatch: pytest.MonkeyPatch, death: int | None
) -> None:
    monkeypatch.setattr(enrolments, "_SCANNED", 2)
    tasks = LongTasks(make_chain(**ONE_PAGE), sweep_missing_certificates)
    seed(tasks.chain)
    tasks.start(NAME, since=SINCE, fix=True)
    tasks.drain(*([death] if death else []))
    answer = tasks.results["run-1"]
    assert (answer["enrolments"], answer["learners"], answer["asked"]) == (6, 4, 4)
    assert len(tasks.ran) > 4


def test_what_is_named_is_bounded(tasks: LongTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "_NAMED", 2)
    monkeypatch.setattr(issuing, "_GROUPS", 0)
    answer = tasks.finish(NAME, since=SINCE)
    assert (len(answer["first"]), answer["groups"], answer["learners"]) == (2, {"others": 4}, 4)


def test_the_night_starts_one_sweep_that_reports_the_last_days(chain: Chain) -> None:
    first, second = start_nightly(chain.ctx), start_nightly(chain.ctx)
    assert first == second
    (sent,) = chain.sender.named
    assert (sent.name, sent.task_id, sent.queue) == (NAME, first, "bulk")
    assert sent.kwargs == {"since": "2023-11-07", "fix": False}
    chain.ctx.time_ms += 86_400_000
    assert start_nightly(chain.ctx) != first
    assert len(chain.sender.named) == 2


def test_the_nightly_sweep_by_setting(make_chain: MakeChain) -> None:
    mending = make_chain(LERN_TASKS__SWEEP_FIX="true", LERN_TASKS__SWEEP_DAYS="30")
    start_nightly(mending.ctx)
    assert mending.sender.named[0].kwargs == {"since": "2023-10-15", "fix": True}
    off = make_chain(LERN_TASKS__SWEEP_DAYS="0")
    assert start_nightly(off.ctx) is None
    assert not off.sender.named


def test_beat_knows_it() -> None:
    entry = celeryconfig.beat_schedule["missing-certificates"]
    assert entry["task"] == nightly_missing_certificates.name
    assert sweep_missing_certificates.name == admin_missing_certificates.NAME


@pytest.fixture
def taken_out(tasks: LongTasks) -> LongTasks:
    """`in-progress` has done all but r3, which a publication takes out of the course; so has one who has left."""
    chain = tasks.chain
    publish(chain)
    for user, active in (("in-progress", True), ("gone", False), ("half", True)):
        key = EnrolmentKey(user_id=user, course_id="do_c1", batch_id="b1")
        done = ("r1",) if user == "half" else ("r1", "r2")
        batch(chain, "Course Merit", key=key)
        enrol(chain, key, status=1, active=active, contentstatus=dict.fromkeys(done, 2))
        for content in done:
            consumed(chain, content, key, status=2)
    never = EnrolmentKey(user_id="never", course_id="do_c1", batch_id="b1")
    enrol(chain, never, status=1)
    assert tasks.finish(NAME, since=SINCE)["overdue"] == 0
    publish(chain, course(unit("un1", tree("r1"), tree("r2")), leafNodes=["r1", "r2"]))
    return tasks


def test_who_became_complete_because_contents_were_taken_out_is_found_whenever_that_was(taken_out: LongTasks) -> None:
    answer = taken_out.finish(NAME, since=SINCE)
    assert [one["user_id"] for one in answer["late"]] == ["in-progress"]
    assert (answer["overdue"], answer["reconciled"], answer["learners"]) == (1, 0, 4)
    assert answer["message"].endswith(
        "1 more are complete by the present contents of their course, not by their status, and would be handed to "
        "reconciliation. Nothing was sent."
    )
    assert not taken_out.chain.sender.sent


def test_with_fix_they_are_completed_and_get_their_certificate(taken_out: LongTasks) -> None:
    chain = taken_out.chain
    result = run(chain, f"lern missing-certificates --since {SINCE}")
    assert (result.exit_code, "in-progress" in result.output) == (1, True)
    result = run(chain, f"lern missing-certificates --since {SINCE} --fix")
    assert result.exit_code == 0, result.output
    row = chain.row(ENROLMENTS, ("in-progress", "do_c1", "b1"))
    assert (row["status"], [element["name"] for element in row["issued_certificates"]]) == (2, ["Course Merit"])
    assert chain.row(ENROLMENTS, ("gone", "do_c1", "b1"))["status"] == 1
    assert run(chain, f"lern missing-certificates --since {SINCE}").exit_code == 0


def test_issuing_a_batch_finds_them_too(taken_out: LongTasks) -> None:
    result = run(taken_out.chain, "lern issue-batch do_c1 b1 --issue")
    assert "were handed to reconciliation" in result.output
    assert taken_out.chain.row(ENROLMENTS, ("in-progress", "do_c1", "b1"))["issued_certificates"]
