"""Equal letters of what is only asked for are one letter with a count; what holds something of its own is kept."""

import json
from typing import Any, Final

import pytest

from lern_tasks.delivery.record import encode
from lern_tasks.errors import DependencyDown
from lern_tasks.operations.reconcile import reconcile_enrolment
from lern_tasks.operations.reissue import reissue_certificate
from lern_tasks.sunbird.tables import COURSE_BATCH
from tests.delivery.resumable.long_tasks import LongTasks
from tests.harness.bad_events import ANYWHERE
from tests.harness.course import batch, enrol, publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.letters import letters, run
from tests.harness.requests import issue
from tests.harness.syncs import REQUIRED, store
from tests.jobs.certificates.rules.certificates import texts

JOB: Final = "collection_cert_pre_processor"
ARGUMENTS = {"user_id": "u1", "course_id": "do_c1", "batch_id": "b1"}


def ask(chain: Chain, times: int = 1, **edata: Any) -> None:
    for _ in range(times):
        event = issue("u1", **edata)
        chain.run(JOB, chain.record({**event, "ets": chain.offset, "mid": f"LP.{chain.offset}"}))


def listed(chain: Chain) -> list[int]:
    rows = json.loads(run(chain, "lern dead-letters list --json").output)
    return [row["times"] for row in rows]


@pytest.fixture
def broken(chain: Chain) -> Chain:
    """A complete learner, and a batch with a template that is wrong."""
    publish(chain)
    batch(chain, "Course Merit", criteria="{")
    enrol(chain, status=2)
    store(chain, REQUIRED)
    return chain


def test_the_same_question_is_one_letter_with_a_count(broken: Chain) -> None:
    ask(broken, 3)
    assert listed(broken) == [3]
    state = broken.ctx.redis.client("state")
    (key,) = state.keys("lern:letter:*")
    state.expire(key, 100)
    ask(broken)
    assert (listed(broken), state.ttl(key)) == ([4], 100), "a letter stands for others a day, not for ever"


def test_another_question_or_another_cause_is_another_letter(broken: Chain) -> None:
    ask(broken, 2)
    ask(broken, reIssue=True)
    batch(broken, "Course Merit", criteria={})
    ask(broken, 2)
    assert listed(broken) == [2, 1, 2]


def test_an_event_that_does_not_say_whose_enrolment_it_is_about_stands_alone(broken: Chain) -> None:
    ask(broken, 2, batchId=None)
    assert listed(broken) == [1, 1]


@pytest.mark.parametrize("value", ANYWHERE.values(), ids=list(ANYWHERE))
def test_what_cannot_be_read_stands_alone(chain: Chain, value: bytes | None) -> None:
    text, encoding = encode(value)
    for _ in range(2):
        chain.run(JOB, chain.record(text, encoding=encoding))
    assert listed(chain) == [1, 1]
    assert [letter.message.value for letter in letters(chain)] == [value, value]


def test_after_a_replay_the_next_failure_is_a_letter_again(broken: Chain) -> None:
    ask(broken, 2)
    (first,) = letters(broken)
    run(broken, f"lern dead-letters replay --letter {first.message.topic} 0 0")
    assert len(letters(broken)) == 2
    ask(broken)
    assert len(letters(broken)) == 2


def test_what_is_not_confirmed_is_not_remembered(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_COLLECTION_CERT_PRE_PROCESSOR__SOFT_TIME_LIMIT="0")
    batch(chain, "Course Merit", criteria="{")
    enrol(chain, status=2)
    chain.published.errors = [DependencyDown("kafka")]
    ask(chain)
    assert not letters(chain)
    assert not chain.ctx.redis.client("state").keys("lern:letter:*")
    chain.drain()
    assert listed(chain) == [1]


def test_without_the_state_a_letter_is_published_all_the_same(broken: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(broken)
    equal: Any = broken.ctx.equal_letters

    class Away:
        def __getattr__(self, _: str) -> Any:
            raise DependencyDown("redis")

    monkeypatch.setattr(equal, "_client", Away())
    ask(broken)
    assert len(letters(broken)) == 2


def test_events_that_hold_something_of_their_own_are_all_kept(chain: Chain) -> None:
    event = {"edata": {"action": "batch-enrolment-update", "userId": "u1", "courseId": "do_c1", "contents": []}}
    for _ in range(2):
        chain.run("activity_aggregate_updater", chain.record(event))
    assert listed(chain) == [1, 1]


@pytest.mark.parametrize("name", ["lern.reconcile_enrolment", "lern.reissue_certificate"])
def test_a_question_about_a_wrong_template_is_answered_and_writes_no_letter(broken: Chain, name: str) -> None:
    tasks = LongTasks(broken, reconcile_enrolment, reissue_certificate)
    for _ in range(3):
        answer = tasks.finish(name, **ARGUMENTS)
        broken.drain()
        assert "tpl_0: not issued, template tpl_0: criteria is not JSON" in answer["message"]
    assert not letters(broken)


@pytest.mark.parametrize("name", ["lern.reconcile_enrolment", "lern.reissue_certificate"])
def test_a_wrong_template_beside_one_that_is_earned_is_one_letter(broken: Chain, name: str) -> None:
    merit, wrong = texts(name="Course Merit"), texts(name="Wrong", criteria="{")
    broken.put(COURSE_BATCH, ("do_c1", "b1"), cert_templates={"tpl_0": merit, "tpl_1": wrong})
    tasks = LongTasks(broken, reconcile_enrolment, reissue_certificate)
    for _ in range(3):
        assert "tpl_1: not issued" in tasks.finish(name, **ARGUMENTS)["message"]
        broken.drain()
    assert len(letters(broken)) == 1
    assert len(broken.registry.entities()) == 1
