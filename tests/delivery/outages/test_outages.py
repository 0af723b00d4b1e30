"""Operations of services that are out while the rest of them answers, in whole chains of tasks."""

import heapq
import time
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import pytest
from structlog.testing import capture_logs

from lern_tasks.connections.calls import operation
from lern_tasks.delivery.batch import Batch
from lern_tasks.delivery.outages.breaker import OPENS_AT
from lern_tasks.delivery.outages.breakers import Breakers
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.errors import DependencyDown, TransientError
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from tests.harness.course import batch, enrol
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import NOW_MS, Chain
from tests.harness.kafka_message import record, run
from tests.harness.profiles import cached, changed, profile
from tests.harness.requests import generate, issue
from tests.harness.size import only_full, size

GENERATOR: Final = "collection_certificate_generator"
USERS: Final = "user_cache_updater"
LEARNERS = 200
QUICK = {
    "LERN_TASKS__RETRY_BASE": "0.02",
    "LERN_TASKS__COUNTDOWN_CAP": "1",
    "LERN_TASKS__PROBE_MIN": "0.05",
    "LERN_TASKS__PROBE_MAX": "0.05",
    "LERN_COLLECTION_CERTIFICATE_GENERATOR__INDEX_LAG": "0",
}
DEFAULT = {"LERN_TASKS__PROBE_MIN": "1", "LERN_TASKS__PROBE_MAX": "5"}


class Worker:
    """One child of a worker, which keeps countdowns in real time."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.began = time.monotonic()
        self.rounds = 0
        self._taken = 0
        self._due: list[tuple[float, int]] = []

    def work(self, until: Callable[[], bool]) -> None:
        """Run the messages as they become due."""
        while not until():
            self._collect()
            if self._due and self._due[0][0] <= time.monotonic():
                _, index = heapq.heappop(self._due)
                sent = self.chain.sender.sent[index]
                self.chain.time_ms = NOW_MS + int((time.monotonic() - self.began) * 1000)
                self.chain.run(sent.job, *sent.records, task_id=sent.task_id, tag=f"tag-{index}")
                self.rounds += 1
            else:
                time.sleep(0.01)

    def _collect(self) -> None:
        for index in range(self._taken, len(self.chain.sender.sent)):
            heapq.heappush(self._due, (time.monotonic() + (self.chain.sender.sent[index].countdown or 0), index))
        self._taken = len(self.chain.sender.sent)


def ask_for_certificates(chain: Chain, number: int) -> None:
    batch(chain, "Course Merit")
    for learner in range(number):
        key = EnrolmentKey(user_id=f"u{learner}", course_id="do_c1", batch_id="b1")
        enrol(chain, key, status=2)
        chain.send(GENERATOR, chain.record(generate(key=key)))


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("env", "seconds"), [(QUICK, 1.0), pytest.param(DEFAULT, 600.0, marks=only_full)], ids=["short", "ten minutes"]
)
def test_a_registry_that_creates_nothing_kills_no_record_and_fills_no_log(
    make_chain: MakeChain, env: dict[str, str], seconds: float
) -> None:
    chain = make_chain(**env)
    ask_for_certificates(chain, LEARNERS)
    chain.registry.switches.create = "503"
    worker = Worker(chain)
    enough = LEARNERS * size(3, full=chain.settings.tasks.retries + 1)
    with capture_logs() as logs:
        worker.work(until=lambda: worker.rounds >= enough and time.monotonic() - worker.began >= seconds)
    lasted = time.monotonic() - worker.began
    lines = [line for line in logs if line["log_level"] != "debug"]
    calls = len(chain.registry.requests_to("POST", "/TrainingCertificate"))
    # The first, and those that probed one after the other; each wrote a line, and the outage one.
    assert OPENS_AT < calls <= OPENS_AT + 1 + lasted / chain.settings.tasks.probe_min
    assert [line["event"] for line in lines].count("outage_began") == 1
    assert len(lines) <= calls + 1
    if env is DEFAULT:
        assert len(lines) < lasted
    assert not chain.published.to("failed")

    chain.registry.switches.reset()
    worker.work(until=lambda: len(chain.registry.entities()) == LEARNERS)
    assert not chain.published.to("failed")
    assert not chain.ctx.breakers.out()


@pytest.mark.parametrize("status", ["500", "503"])
def test_a_poisoned_record_among_good_ones_is_dead_after_its_attempts(make_chain: MakeChain, status: str) -> None:
    chain = make_chain(LERN_TASKS__RETRIES="3")
    profile(chain, "u-bad", *(f"u-{number}" for number in range(20)))
    poisoned = chain.record(changed("u-bad"))
    for number in count():
        chain.platform.switches.user_read = status
        counts = chain.run(USERS, poisoned)
        chain.platform.switches.reset()
        if counts["dead"]:
            break
        (poisoned,) = list(chain.sender.to(USERS))[-1].records
        assert chain.run(USERS, chain.record(changed(f"u-{number}")))["done"] == 1
    # The first failure has nothing to be compared with.
    assert (number, poisoned.attempt) == (1 + 3, 3)
    (letter,) = chain.published.to("dev.lern.tasks.failed")
    assert dict(letter.headers)["lern-code"] == b"TRANSIENT"


def alone(chain: Chain, until_back: Callable[[], Any]) -> None:
    """Run what is sent again for an hour of its time, then with the service back."""
    hour = chain.time_ms + 3_600_000
    rounds = 0
    while chain.time_ms < hour:
        sent = chain.sender.sent[-1]
        chain.time_ms += max(int((sent.countdown or 0) * 1000), 1)
        assert chain.run(sent.job, *sent.records, tag=f"tag-{rounds}")["again"] == 1
        rounds += 1
    assert rounds < 200
    assert chain.sender.sent[-1].records[0].attempt == 0
    assert not chain.published.to("failed")
    until_back()
    chain.time_ms += 60_000
    assert chain.run(chain.sender.sent[-1].job, *chain.sender.sent[-1].records)["done"] == 1


def test_one_record_alone_at_night_waits_for_the_registry(make_chain: MakeChain) -> None:
    """Whatever is asked of it, it answers 500."""
    chain = make_chain()
    ask_for_certificates(chain, 1)
    chain.registry.switches.update({"create": "500", "search": "500", "key_search": "500"})
    alone(chain, chain.registry.switches.reset)
    assert len(chain.registry.entities()) == 1


def test_one_record_alone_waits_for_the_user_service_whose_root_answers(make_chain: MakeChain) -> None:
    chain = make_chain()
    profile(chain)
    chain.send(USERS, chain.record(changed("u-100")))
    chain.platform.switches.user_read = "503"
    with capture_logs() as logs:
        alone(chain, chain.platform.switches.reset)
    assert not [line for line in logs if "waiting" in line["event"] or "back" in line["event"]]
    assert cached(chain)["userid"] == "u-100"


def test_a_learner_whom_the_pre_processor_cannot_read_holds_up_no_child(make_chain: MakeChain) -> None:
    chain = make_chain()
    batch(chain, "Course Merit", criteria='{"enrollment": {"status": 2}, "user": {"rootOrgId": "0123456789"}}')
    enrol(chain, status=2)
    chain.send("collection_cert_pre_processor", chain.record(issue("u1")))
    chain.platform.switches.user_read = "503"
    alone(chain, chain.platform.switches.reset)
    assert len(list(chain.sender.to(GENERATOR))) == 1


def test_without_the_state_redis_an_outage_is_waited_out_as_before(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_RELATION_CACHE_UPDATER__SOFT_TIME_LIMIT="2")
    tries: list[int] = []

    def body(batch: Batch[str], ctx: Resources) -> None:

        chain.redis_server.connected = False
        tries.append(1)
        with batch.open[0].failures(), operation("kafka", "read"):
            if len(tries) < 3:
                raise DependencyDown("kafka")
            batch.open[0].done()
        chain.redis_server.connected = True

    assert run(chain.ctx, body, record("a"))["done"] == 1
    assert len(tries) == 3


def test_the_first_failure_of_each_operation_is_free(make_chain: MakeChain) -> None:
    """That the record failed at another operation before says nothing of this one."""
    chain = make_chain()

    def body(batch: Batch[str], ctx: Resources) -> None:
        name = batch.open[0].event
        ctx.breakers.succeeded(f"kafka {name}", "another record")
        with batch.open[0].failures(), operation("kafka", name):
            raise TransientError("500", "kafka")

    def attempts(entry: Record) -> tuple[int, Record]:
        assert run(chain.ctx, body, entry)["again"] == 1
        (sent,) = chain.sender.sent[-1].records
        return sent.attempt, sent

    spent, again = attempts(record("read").next(failed_call="kafka other", failed_call_ms=1))
    assert spent == 0
    assert attempts(again)[0] == 1


def test_records_that_wait_for_one_operation_ask_once(make_chain: MakeChain, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = make_chain()
    asked: list[str] = []

    def rest(_: Breakers, name: str) -> bool:
        asked.append(name)
        return name == "kafka read"

    monkeypatch.setattr(Breakers, "rest", rest)

    def body(batch: Batch[str], ctx: Resources) -> None:
        for entry in batch.open:
            entry.done()

    waiting = [record(str(n), waits_for=f"kafka {'read' if n < 9 else 'write'}") for n in range(12)]
    counts = run(chain.ctx, body, *waiting)
    assert (counts["again"], counts["waiting"], counts["done"]) == (9, 9, 3)
    assert asked == ["kafka read", "kafka write"]
