"""Issuing again, and issuing a whole batch after a template was added or mended."""

from typing import Any, Final

import pytest

from lern_tasks.operations import enrolments, issuing
from lern_tasks.operations.reissue import issue_batch, reissue_certificate
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import COURSE_BATCH, ENROLMENTS, REPORT_ENROLMENTS
from tests.delivery.resumable.long_tasks import ONE_PAGE, LongTasks
from tests.harness.course import batch, enrol
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.letters import run
from tests.jobs.certificates.rules.certificates import issued, texts

ARGUMENTS = {"user_id": "u1", "course_id": "do_c1", "batch_id": "b1"}
BATCH = {"course_id": "do_c1", "batch_id": "b1"}
PRE_PROCESSOR: Final = "collection_cert_pre_processor"


@pytest.fixture
def tasks(chain: Chain) -> LongTasks:
    return LongTasks(chain, reissue_certificate, issue_batch)


def certificates(chain: Chain, user: str = "u1") -> dict[str, str]:
    row = chain.row(ENROLMENTS, (user, "do_c1", "b1"))
    return {element["name"]: element["identifier"] for element in row.get("issued_certificates", [])}


def test_a_certificate_is_issued_again_in_the_place_of_the_old_one(tasks: LongTasks) -> None:
    chain = tasks.chain
    batch(chain, "Course Merit", "Participation")
    enrol(chain, status=2)
    tasks.finish("lern.issue_batch", **BATCH, dry_run=False)
    chain.drain()
    before = certificates(chain)
    answer = tasks.finish("lern.reissue_certificate", **ARGUMENTS)
    assert [(one["name"], one["earned"], one["replaces"]) for one in answer["templates"]] == [
        (name, True, before[name]) for name in ("Course Merit", "Participation")
    ]
    assert f"Course Merit: asked for; it replaces {before['Course Merit']}." in answer["message"]
    (*_, sent) = chain.sender.to(PRE_PROCESSOR)
    assert sent.queue == "bulk"
    chain.drain()
    after = certificates(chain)
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert {stored.osid for stored in chain.registry.entities()} == set(after.values())


def test_a_first_certificate_and_what_is_not_earned(tasks: LongTasks) -> None:
    chain = tasks.chain
    batch(chain, "Course Merit")
    stored = chain.row(COURSE_BATCH, ("do_c1", "b1"))["cert_templates"]
    scored = texts(identifier="tpl_q", name="Scored", criteria={"assessment": {"score": {">=": 60}}})
    broken = texts(identifier="tpl_b", name="Broken", criteria="{")
    chain.put(COURSE_BATCH, ("do_c1", "b1"), cert_templates={**stored, "tpl_q": scored, "tpl_b": broken})
    enrol(chain, status=2)
    answer = tasks.finish("lern.reissue_certificate", **ARGUMENTS)
    found = {one["template_id"]: (one["earned"], one["reason"]) for one in answer["templates"]}
    assert found["tpl_0"] == (True, "")
    assert found["tpl_q"] == (False, "there is no score, which counts as 0 %; the template asks for >= 60")
    assert "template tpl_b: criteria is not JSON" in found["tpl_b"][1]
    assert "Course Merit: asked for; there was none before." in answer["message"]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (None, "There is no enrolment of user u1 in batch b1 of course do_c1. Nothing was written."),
        ({"status": 1}, "tpl_0: not issued, the enrolment's status is 1, the template asks for 2."),
        ({"status": 2, "active": False}, "tpl_0: not issued, the enrolment is not active."),
    ],
)
def test_nothing_is_asked_for_what_is_not_earned(tasks: LongTasks, cells: dict[str, Any] | None, message: str) -> None:
    batch(tasks.chain, "Course Merit")
    if cells is not None:
        enrol(tasks.chain, **cells)
    answer = tasks.finish("lern.reissue_certificate", **ARGUMENTS)
    assert (answer["found"], answer["message"]) == (cells is not None, message)
    assert not tasks.chain.sender.sent


def test_a_batch_without_template(tasks: LongTasks) -> None:
    enrol(tasks.chain, status=2)
    answer = tasks.finish("lern.reissue_certificate", **ARGUMENTS)
    assert (answer["templates"], answer["message"]) == ([], "The batch has no SVG template: there is nothing to issue.")


def learners(chain: Chain, number: int = 7) -> None:
    """One in seven each: complete, has it, in progress, left, complete but unknown to the user service."""
    batch(chain, "Course Merit")
    for n in range(number):
        key = EnrolmentKey(user_id=f"u{n}", course_id="do_c1", batch_id="b1")
        cells: dict[str, Any] = {"status": 1 if n % 7 == 2 else 2, "active": n % 7 != 3}
        if n % 7 == 1:
            cells["issued_certificates"] = issued(("COURSE MERIT", "c1"))
        enrol(chain, key, **cells)
        if n % 7 != 4:
            chain.platform.add(users={key.user_id: {"firstName": "Asha", "rootOrgId": "01"}})
    enrol(chain, EnrolmentKey(user_id="u0", course_id="do_c1", batch_id="b2"), status=2)


def test_a_dry_run_says_who_would_get_which_certificate_and_sends_nothing(tasks: LongTasks) -> None:
    learners(tasks.chain)
    answer = tasks.finish("lern.issue_batch", **BATCH)
    assert not tasks.chain.sender.sent
    assert {name: answer[name] for name in ("enrolments", "learners", "certificates", "asked", "failed")} == {
        "enrolments": 5,
        "learners": 3,
        "certificates": 3,
        "asked": 0,
        "failed": 1,
    }
    assert answer["groups"] == {"tpl_0 Course Merit": 3}
    assert [one["user_id"] for one in answer["first"]] == ["u0", "u5", "u6"]
    assert [one["user_id"] for one in answer["failures"]] == ["u4"]
    assert answer["message"] == (
        "5 complete enrolments; 3 certificates of 3 of them would be asked for. 1 could not be evaluated. "
        "3 enrolments earn nothing. Nothing was sent."
    )
    assert {one["user_id"]: one["reason"] for one in answer["reasons"]} == {
        "u1": "tpl_0: a certificate of this name is issued already",
        "u2": "the enrolment's status is 1",
        "u3": "the enrolment is not active",
    }


def test_without_a_template_a_dry_run_says_so_of_each(tasks: LongTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    for user in ("u1", "u2", "u3"):
        enrol(tasks.chain, EnrolmentKey(user_id=user, course_id="do_c1", batch_id="b1"), status=2)
    monkeypatch.setattr(issuing, "_REASONS", 2)
    result = run(tasks.chain, "lern issue-batch do_c1 b1")
    assert result.output.count("the batch has no SVG template") == 2
    assert "... the first 2 of 3" in result.output
    assert "3 complete enrolments; 0 certificates of 0 of them would be asked for. 3 enrolments earn" in result.output


def test_a_real_run_issues_what_the_dry_run_said(tasks: LongTasks) -> None:
    chain = tasks.chain
    learners(chain)
    answer = tasks.finish("lern.issue_batch", **BATCH, dry_run=False)
    assert (answer["asked"], answer["certificates"]) == (3, 3)
    assert {sent.queue for sent in chain.sender.to(PRE_PROCESSOR)} == {"bulk"}
    chain.drain()
    assert {n for n in range(7) if "Course Merit" in certificates(chain, f"u{n}")} == {0, 5, 6}
    again = tasks.finish("lern.issue_batch", **BATCH, dry_run=False)
    assert (again["asked"], again["certificates"]) == (0, 0)


def test_templates_of_one_name_are_one_certificate_and_wrong_ones_are_named(tasks: LongTasks) -> None:
    chain = tasks.chain
    batch(chain, "Course Merit", "COURSE merit")
    stored = chain.row(COURSE_BATCH, ("do_c1", "b1"))["cert_templates"]
    broken = texts(identifier="tpl_b", name="Broken", criteria={})
    chain.put(COURSE_BATCH, ("do_c1", "b1"), cert_templates={**stored, "tpl_b": broken})
    enrol(chain, status=2)
    answer = tasks.finish("lern.issue_batch", **BATCH)
    assert (answer["learners"], answer["certificates"]) == (1, 1)
    assert "criteria is without enrollment" in answer["broken"]["tpl_b"]
    assert "Templates that are wrong: template tpl_b" in answer["message"]


def test_an_unknown_batch(tasks: LongTasks) -> None:
    answer = tasks.finish("lern.issue_batch", **BATCH, dry_run=False)
    assert (answer["found"], answer["message"]) == (False, "There is no batch b1 of course do_c1. Nothing was written.")


@pytest.fixture
def pages(make_chain: MakeChain, monkeypatch: pytest.MonkeyPatch) -> LongTasks:
    """Time for one enrolment a message, and pages of a few rows."""
    monkeypatch.setattr(enrolments, "_SCANNED", 3)
    return LongTasks(make_chain(**ONE_PAGE), issue_batch)


def test_a_batch_in_many_messages_counts_each_enrolment_once(pages: LongTasks) -> None:
    learners(pages.chain, 21)
    answer = pages.finish("lern.issue_batch", **BATCH, dry_run=False)
    assert (answer["enrolments"], answer["learners"], answer["asked"], answer["failed"]) == (15, 9, 9, 3)
    assert len(pages.ran) > 15
    asked = [event["edata"]["userIds"][0] for event in pages.chain.sent_events(PRE_PROCESSOR)]
    assert sorted(asked) == sorted(f"u{n}" for n in range(21) if n % 7 in (0, 5, 6))


@pytest.mark.parametrize("death", range(2, 60, 8))
def test_a_death_anywhere_loses_no_certificate_and_doubles_none(pages: LongTasks, death: int) -> None:
    chain = pages.chain
    learners(chain)
    pages.start("lern.issue_batch", **BATCH, dry_run=False)
    pages.drain(death)
    assert pages.results["run-1"]["asked"] == 3
    chain.drain()
    owners = sorted(stored.document["recipient"]["id"] for stored in chain.registry.entities())
    assert owners == ["u0", "u5", "u6"]


def test_an_outage_of_the_user_service_is_no_failure_of_learners(pages: LongTasks) -> None:
    chain = pages.chain
    batch(chain, "Course Merit")
    enrol(chain, status=2)
    chain.platform.stop()
    pages.start("lern.issue_batch", **BATCH)
    assert pages.run(chain.sender.named[0]) is None
    assert chain.ctx.runs.read("run-1").first_failed_ms == chain.time_ms  # type: ignore[union-attr]


def test_the_copy_by_batch_is_used_by_setting_and_may_be_stale(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_TASKS__USE_REPORT_ENROLMENTS="true")
    batch(chain, "Course Merit")
    for user in ("u1", "not-in-the-copy"):
        enrol(chain, EnrolmentKey(user_id=user, course_id="do_c1", batch_id="b1"), status=2)
    for user in ("u1", "gone"):
        chain.put(REPORT_ENROLMENTS, ("b1", "do_c1", user), userid=user)
    answer = LongTasks(chain, issue_batch).finish("lern.issue_batch", **BATCH)
    assert (answer["enrolments"], [one["user_id"] for one in answer["first"]]) == (1, ["u1"])
