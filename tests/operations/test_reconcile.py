"""What an administrator reconciles: one enrolment, with its answer, and whole batches."""

from typing import Any, Final

import pytest

from lern_tasks.operations.reconcile import reconcile_batch, reconcile_enrolment
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ACTIVITY_AGG, ENROLMENTS
from tests.delivery.resumable.long_tasks import LongTasks
from tests.harness.course import KEY, ROW, batch, consumed, enrol, publish
from tests.harness.in_process import Chain
from tests.jobs.certificates.rules.certificates import issued

ARGUMENTS = {"user_id": "u1", "course_id": "do_c1", "batch_id": "b1"}
PRE_PROCESSOR: Final = "collection_cert_pre_processor"


@pytest.fixture
def tasks(chain: Chain) -> LongTasks:
    publish(chain)
    return LongTasks(chain, reconcile_enrolment, reconcile_batch)


def reconcile(tasks: LongTasks, **changes: str) -> Any:
    return tasks.finish("lern.reconcile_enrolment", **{**ARGUMENTS, **changes})


def test_a_stale_enrolment_is_mended_and_the_answer_says_so(tasks: LongTasks) -> None:
    chain = tasks.chain
    batch(chain, "Course Merit")
    enrol(chain, status=1)
    for content in ("r1", "r2", "r3"):
        consumed(chain, content, status=2)
    answer = reconcile(tasks)
    assert answer == {
        **ARGUMENTS,
        "found": True,
        "active": True,
        "contents": 3,
        "completed": 3,
        "required": 3,
        "status_before": 1,
        "status_after": 2,
        "open": [],
        "templates": [
            {
                "template_id": "tpl_0",
                "name": "Course Merit",
                "earned": True,
                "replaces": "",
                "reason": "",
                "broken": False,
            }
        ],
        "retired": False,
        "certificates": [],
        "certificate_asked": True,
        "message": "3 of 3 required contents are done. The enrolment was in progress and is complete now. It has no "
        "certificate yet. Course Merit: asked for; there was none before.",
    }
    assert chain.row(ENROLMENTS, ROW)["status"] == 2
    chain.drain()
    assert [element["name"] for element in chain.row(ENROLMENTS, ROW)["issued_certificates"]] == ["Course Merit"]


def test_an_enrolment_in_progress(tasks: LongTasks) -> None:
    enrol(tasks.chain)
    consumed(tasks.chain, "r1", status=2)
    answer = reconcile(tasks)
    assert (answer["completed"], answer["status_after"], answer["certificate_asked"]) == (1, 1, False)
    assert answer["message"] == (
        "1 of 3 required contents are done; open: r2, r3. The enrolment was not begun and is in progress now. "
        "It has no certificate, and earns none before it is complete."
    )


@pytest.mark.parametrize("cells", [{"status": 2}, {"status": 2, "issued_certificates": issued(("Other", "c1"))}])
def test_a_complete_enrolment_asks_for_its_certificate_again(tasks: LongTasks, cells: dict[str, Any]) -> None:
    chain = tasks.chain
    batch(chain, "Course Merit")
    enrol(chain, **cells)
    for content in ("r1", "r2", "r3"):
        consumed(chain, content, status=2)
    assert reconcile(tasks)["certificate_asked"]
    chain.drain()
    names = [element["name"] for element in chain.row(ENROLMENTS, ROW)["issued_certificates"]]
    assert names[-1] == "Course Merit"


@pytest.mark.parametrize("contents", [(), ("r1",)])
def test_complete_once_is_complete_whatever_was_added_or_merged_away(
    tasks: LongTasks, contents: tuple[str, ...]
) -> None:
    chain = tasks.chain
    batch(chain, "Course Merit")
    enrol(chain, status=2)
    for content in contents:
        consumed(chain, content, status=2)
    answer = reconcile(tasks)
    assert (answer["status_after"], answer["certificate_asked"]) == (2, True)
    (sent,) = chain.sender.to(PRE_PROCESSOR)
    assert sent.queue == "bulk"
    chain.drain()
    assert chain.row(ENROLMENTS, ROW)["issued_certificates"][0]["name"] == "Course Merit"


@pytest.mark.parametrize("status", [1, 2])
def test_who_has_left_the_batch_is_told_and_nothing_is_asked_for(tasks: LongTasks, status: int) -> None:
    batch(tasks.chain, "Course Merit")
    enrol(tasks.chain, status=status, active=False)
    for content in ("r1", "r2", "r3"):
        consumed(tasks.chain, content, status=2)
    answer = reconcile(tasks)
    assert not answer["certificate_asked"]
    assert answer["message"].endswith(
        "It is not active: the learner has left the batch, and none is asked for. It has no certificate."
    )
    assert not tasks.chain.sender.sent


def test_a_learner_whom_the_user_service_does_not_know_is_told_of(tasks: LongTasks) -> None:
    batch(tasks.chain, "Course Merit")
    key = EnrolmentKey(user_id="u9", course_id="do_c1", batch_id="b1")
    enrol(tasks.chain, key, status=2)
    answer = reconcile(tasks, user_id="u9")
    assert answer["problem"] in answer["message"]
    assert "users refuses with 404" in answer["problem"]
    assert not tasks.chain.sender.sent


def test_what_is_open_is_named(tasks: LongTasks) -> None:
    tasks.chain.ctx.redis.client("relation_cache").sadd("do_c1:do_c1:leafnodes", *(f"x{n:02}" for n in range(30)))
    enrol(tasks.chain)
    consumed(tasks.chain, "r1", status=2)
    answer = reconcile(tasks)
    assert answer["open"] == ["r2", "r3", *(f"x{n:02}" for n in range(30))]
    assert "1 of 33 required contents are done; open: r2, r3, x00, " in answer["message"]
    assert "x17 and 12 more." in answer["message"]


def test_a_retired_course(tasks: LongTasks) -> None:
    chain = tasks.chain
    chain.platform.add(contents={"do_c9": {"name": "Old", "status": "Retired"}})
    key = EnrolmentKey(user_id="u1", course_id="do_c9", batch_id="b1")
    enrol(chain, key, status=1)
    consumed(chain, "r1", key, status=2)
    answer = reconcile(tasks, course_id="do_c9")
    assert answer["retired"]
    assert answer["message"].startswith("The course is retired: progress is not computed any more.")


@pytest.mark.parametrize("unknown", ["user_id", "course_id", "batch_id"])
def test_an_unknown_id_is_answered_and_writes_nothing(tasks: LongTasks, unknown: str) -> None:
    chain = tasks.chain
    enrol(chain)
    for key in (KEY, EnrolmentKey(user_id="nobody", course_id="do_c1", batch_id="b1")):
        consumed(chain, "r1", key, status=2)
    tasks.start("lern.reconcile_enrolment", **{**ARGUMENTS, unknown: "nobody"})
    effects = tasks.drain()
    (answer,) = tasks.results.values()
    assert (answer["found"], answer["message"].endswith("Nothing was written.")) == (False, True)
    assert not [effect for effect in effects if effect.startswith(("write", "publish", "RecordingSender"))]
    assert not chain.row(ACTIVITY_AGG, ("Course", "do_c1", "nobody", "cb:b1"))


def test_a_course_without_relations_is_waited_for_and_asked_for(tasks: LongTasks) -> None:
    chain = tasks.chain
    enrol(chain)
    consumed(chain, "r1", status=2)
    chain.platform.add(contents={"do_c1": {"name": "Fractions", "status": "Live"}})
    chain.ctx.redis.client("relation_cache").flushdb()
    tasks.start("lern.reconcile_enrolment", **ARGUMENTS)
    assert tasks.run(chain.sender.named[0]) is None
    chain.drain()
    tasks.drain()
    assert tasks.results["run-1"]["completed"] == 1


def learners(chain: Chain, number: int) -> list[EnrolmentKey]:
    keys = [EnrolmentKey(user_id=f"u{n:04}", course_id="do_c1", batch_id="b1") for n in range(number)]
    for key in keys:
        enrol(chain, key)
    return keys


def test_a_batch_goes_to_reconciliation_on_the_queue_for_mass_work(tasks: LongTasks) -> None:
    chain = tasks.chain
    batch(chain, "Course Merit")
    keys = learners(chain, 150)
    enrol(chain, EnrolmentKey(user_id="u1", course_id="do_c1", batch_id="b2"))
    consumed(chain, "r1", keys[7], status=2)
    answer = tasks.finish("lern.reconcile_batch", course_id="do_c1", batch_id="b1")
    assert (answer["found"], answer["enrolments"]) == (True, 150)
    assert answer["message"] == "150 enrolments were handed to reconciliation, which goes on in the queue `bulk`."
    sent = list(chain.sender.to("enrolment_reconciliation"))
    assert [len(message.records) for message in sent] == [100, 50]
    assert {message.queue for message in sent} == {"bulk"}
    chain.drain()
    assert chain.row(ENROLMENTS, ("u0007", "do_c1", "b1"))["progress"] == 1
    assert not chain.published.to("failed")


def test_two_runs_of_a_batch_have_ids_of_their_own_and_a_repeated_one_the_same(tasks: LongTasks) -> None:
    chain = tasks.chain
    batch(chain, "Course Merit")
    learners(chain, 3)
    for _ in range(2):
        tasks.finish("lern.reconcile_batch", course_id="do_c1", batch_id="b1")
    first, second = (message.task_id for message in chain.sender.to("enrolment_reconciliation"))
    assert first != second
    tasks.start("lern.reconcile_batch", course_id="do_c1", batch_id="b1")
    tasks.drain(3)
    third, again = (message.task_id for message in list(chain.sender.to("enrolment_reconciliation"))[2:])
    assert third == again


def test_a_batch_that_is_unknown_or_empty(tasks: LongTasks) -> None:
    learners(tasks.chain, 2)
    unknown = tasks.finish("lern.reconcile_batch", course_id="do_c1", batch_id="b9")
    assert unknown == {
        "course_id": "do_c1",
        "batch_id": "b9",
        "found": False,
        "enrolments": 0,
        "message": "There is no batch b9 of course do_c1. Nothing was written.",
    }
    batch(tasks.chain, "Course Merit", key=EnrolmentKey(user_id="u1", course_id="do_c1", batch_id="b9"))
    empty = tasks.finish("lern.reconcile_batch", course_id="do_c1", batch_id="b9")
    assert (empty["found"], empty["message"]) == (True, "The batch has no enrolments.")
    assert not tasks.chain.sender.sent


def test_a_batch_without_templates_is_known_by_its_learners(tasks: LongTasks) -> None:
    learners(tasks.chain, 2)
    assert tasks.finish("lern.reconcile_batch", course_id="do_c1", batch_id="b1")["enrolments"] == 2


@pytest.mark.parametrize("death", range(1, 15))
def test_a_death_before_any_effect_tells_of_the_completion_once_and_issues_one_certificate(
    tasks: LongTasks, death: int
) -> None:
    chain = tasks.chain
    batch(chain, "Course Merit")
    enrol(chain, status=1)
    for content in ("r1", "r2", "r3"):
        consumed(chain, content, status=2)
    tasks.start("lern.reconcile_enrolment", **ARGUMENTS)
    tasks.drain(death)
    assert tasks.results["run-1"]["status_after"] == 2
    chain.drain()
    events = chain.events("telemetry.raw")
    completions = {event["mid"] for event in events if event["edata"]["type"] == "enrol-complete"}
    assert len(completions) == 1
    assert [stored.document["certificateLabel"] for stored in chain.registry.entities()] == ["Course Merit"]
