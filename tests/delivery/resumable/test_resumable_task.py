"""Resumable tasks: page by page, message by message, through deaths, doubles and outages."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lern_tasks.delivery.delivery_counter import PoisonMessage
from lern_tasks.delivery.resumable.checkpoints import Checkpoint, RunState
from lern_tasks.delivery.resumable.resumable_task import resumable_task
from lern_tasks.delivery.resumable.runner import PROGRESS, LostRun, PageContext, PageFunction
from lern_tasks.errors import DependencyDown, InvalidArgument, NotReady, RefusedByService, Requeue, TransientError
from lern_tasks.jobs.relations.refresh_request import relations_request
from tests.delivery.resumable.long_tasks import ONE_PAGE, LongTasks
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain

PAGES = 5

done: list[int] = []
"""The pages that were done, with those that were repeated."""
failures: list[BaseException] = []
"""What the next pages raise."""
between: list[Callable[[], Any]] = []
"""What happens in the middle of the next page."""


@pytest.fixture(autouse=True)
def _fresh() -> None:
    for notes in (done, failures, between):
        notes.clear()


@resumable_task("test.count", doing="counting to five")
def count_pages(name: object, size: object = 1) -> PageFunction:
    """Counts to PAGES, `size` at a page."""
    if not isinstance(name, str):
        raise InvalidArgument("name is not text")

    def page(checkpoint: Checkpoint, page_context: PageContext) -> Checkpoint:
        if failures:
            raise failures.pop(0)
        if between:
            between.pop(0)()
        number = int(checkpoint.after or 0) + 1
        page_context.ctx.sender.send("certificate_replacement", [], task_id=f"{name}-{number}")
        done.append(number)
        counted = checkpoint.result.get("counted", 0) + 1
        return Checkpoint(after=str(number), done=number / PAGES, ended=number == PAGES, result={"counted": counted})

    return page


@pytest.fixture
def tasks(chain: Chain) -> LongTasks:
    """All pages fit into one message."""
    return LongTasks(chain, count_pages)


@pytest.fixture
def page_by_page(make_chain: MakeChain) -> LongTasks:
    """A page is a message."""
    return LongTasks(make_chain(**ONE_PAGE), count_pages)


def test_pages_that_fit_are_one_message(tasks: LongTasks) -> None:
    assert tasks.finish("test.count", name="n") == {"counted": PAGES}
    assert len(tasks.ran) == 1
    assert done == [1, 2, 3, 4, 5]


def test_a_message_sends_the_next_with_the_same_id_and_arguments(page_by_page: LongTasks) -> None:
    assert page_by_page.finish("test.count", name="n") == {"counted": PAGES}
    assert {(sent.task_id, sent.queue) for sent in page_by_page.ran} == {("run-1", "bulk")}
    assert [sent.kwargs for sent in page_by_page.ran] == [
        {"name": "n"},
        *({"name": "n", "slice": number} for number in range(1, PAGES)),
    ]


def test_how_far_it_is_shows_in_the_tasks_state(page_by_page: LongTasks) -> None:
    page_by_page.chain.ctx.app.conf.result_backend = "cache+memory://"
    page_by_page.start("test.count", name="n")
    page_by_page.run(page_by_page.chain.sender.named[0])
    meta = page_by_page.chain.ctx.app.backend.get_task_meta("run-1")
    assert meta["status"] == PROGRESS
    assert meta["result"] == {"doing": "counting to five", "done": 0.0, "note": "", "result": {}}
    page_by_page.run(page_by_page.chain.sender.named[1])
    shown = page_by_page.chain.ctx.app.backend.get_task_meta("run-1")["result"]
    assert (shown["done"], shown["result"]) == (0.2, {"counted": 1})


EFFECTS = 33
"""How many effects a run has: one death before each."""


def test_the_run_below_has_that_many_effects(page_by_page: LongTasks) -> None:
    page_by_page.start("test.count", name="n")
    assert len(page_by_page.drain()) == EFFECTS


@pytest.mark.parametrize("death", range(1, EFFECTS + 1))
def test_a_death_before_any_effect_loses_nothing_and_repeats_one_page_at_most(
    page_by_page: LongTasks, death: int
) -> None:
    page_by_page.start("test.count", name="n")
    page_by_page.drain(death)
    assert page_by_page.results == {"run-1": {"counted": PAGES}}
    assert sorted(set(done)) == [1, 2, 3, 4, 5]
    assert len(done) <= PAGES + 1


@given(deaths=st.lists(st.integers(1, 12), max_size=8), doubles=st.lists(st.integers(0, 20), max_size=4))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_deaths_and_doubles(make_chain: MakeChain, deaths: list[int], doubles: list[int]) -> None:
    done.clear()
    page_by_page = LongTasks(make_chain(**ONE_PAGE, LERN_TASKS__MAX_DELIVERIES="20"), count_pages)

    def repeat(chosen: int) -> None:
        message = page_by_page.ran[chosen % len(page_by_page.ran)]
        page_by_page.chain.sender.send_named(message.name, message.kwargs, task_id=message.task_id, queue="bulk")

    between[:] = [partial(repeat, chosen) for chosen in doubles]
    page_by_page.start("test.count", name="n")
    page_by_page.drain(*deaths)
    assert page_by_page.results == {"run-1": {"counted": PAGES}}
    assert sorted(set(done)) == [1, 2, 3, 4, 5]


def test_a_double_of_an_older_message_does_nothing(page_by_page: LongTasks) -> None:
    page_by_page.start("test.count", name="n")
    first, second = (page_by_page.run(page_by_page.chain.sender.named[number]) for number in range(2))
    assert (first, second) == (None, None)
    before = (list(done), len(page_by_page.chain.sender.named))
    assert page_by_page.run(page_by_page.chain.sender.named[0]) is None
    assert (list(done), len(page_by_page.chain.sender.named)) == before


def test_a_double_after_the_end_gives_the_result_again(page_by_page: LongTasks) -> None:
    page_by_page.finish("test.count", name="n")
    for sent in list(page_by_page.ran):
        assert page_by_page.run(sent) == {"counted": PAGES}
    assert len(done) == PAGES


def test_of_two_deliveries_at_once_one_goes_on_and_the_other_looks_again_later(tasks: LongTasks) -> None:
    tasks.start("test.count", name="n")
    (message,) = tasks.chain.sender.named
    between.append(lambda: tasks.results.update(inner=tasks.run(message)))
    assert tasks.run(message) is None
    assert tasks.results["inner"] == {"counted": PAGES}
    again = tasks.chain.sender.named[-1]
    assert (again.kwargs, again.countdown) == ({"name": "n", "slice": 0}, 60.0)
    assert tasks.run(again) == {"counted": PAGES}
    assert sorted(done) == [1, 1, 2, 3, 4, 5]


def test_a_short_outage_is_waited_out_in_place(tasks: LongTasks) -> None:
    failures.extend([DependencyDown("kafka"), DependencyDown("kafka")])
    assert tasks.finish("test.count", name="n") == {"counted": PAGES}
    assert len(tasks.ran) == 1


def test_a_long_outage_sends_the_message_again_and_spends_nothing(page_by_page: LongTasks) -> None:
    failures.extend([DependencyDown("kafka")] * 20)
    assert page_by_page.finish("test.count", name="n") == {"counted": PAGES}
    assert [sent.kwargs.get("slice", 0) for sent in page_by_page.ran] == [0] * 21 + [1, 2, 3, 4]


def test_an_outage_of_the_state_redis_at_the_start_loses_nothing(page_by_page: LongTasks) -> None:
    page_by_page.start("test.count", name="n")
    (message,) = page_by_page.chain.sender.named
    page_by_page.chain.redis_server.connected = False
    assert page_by_page.run(message) is None
    page_by_page.chain.redis_server.connected = True
    page_by_page.drain()
    assert page_by_page.results["run-1"] == {"counted": PAGES}


def test_an_outage_ends_by_age(page_by_page: LongTasks) -> None:
    page_by_page.start("test.count", name="n")
    failures.extend([DependencyDown("kafka", "Kafka does not answer")] * 2)
    page_by_page.run(page_by_page.chain.sender.named[-1])
    page_by_page.chain.time_ms += 86_400_000
    with pytest.raises(DependencyDown, match="Kafka does not answer"):
        page_by_page.run(page_by_page.chain.sender.named[-1])


@pytest.mark.parametrize(("times", "ends"), [(5, True), (6, False)])
def test_what_is_transient_is_tried_five_times_again(page_by_page: LongTasks, times: int, ends: bool) -> None:
    failures.extend([TransientError("it took too long", dependency="kafka")] * times)
    page_by_page.start("test.count", name="n")
    page_by_page.drain()
    result = page_by_page.results["run-1"]
    assert result == {"counted": PAGES} if ends else isinstance(result, TransientError)


def test_a_page_that_succeeds_has_all_its_tries_again(page_by_page: LongTasks) -> None:
    page_by_page.start("test.count", name="n")
    failures.extend([TransientError("it took too long")] * 4)
    for number in range(5):
        page_by_page.run(page_by_page.chain.sender.named[number])
    failures.extend([TransientError("it took too long")] * 5)
    page_by_page._taken = 5
    page_by_page.drain()
    assert page_by_page.results["run-1"] == {"counted": PAGES}


def test_a_timeout_of_what_answers_nobody_is_an_outage(page_by_page: LongTasks) -> None:
    page_by_page.chain.published.down = True
    failures.extend([TransientError("it took too long", dependency="kafka")] * 10)
    assert page_by_page.finish("test.count", name="n") == {"counted": PAGES}


def test_a_page_cut_off_by_the_soft_limit_is_tried_again_and_in_the_end_named(page_by_page: LongTasks) -> None:
    failures.append(SoftTimeLimitExceeded())
    assert page_by_page.finish("test.count", name="n") == {"counted": PAGES}
    failures.extend([SoftTimeLimitExceeded()] * 6)
    with pytest.raises(TransientError, match="one page took longer than the soft time limit"):
        page_by_page.finish("test.count", name="n")


def test_missing_relations_are_asked_for(page_by_page: LongTasks) -> None:
    failures.extend([NotReady("no relations", remedy=relations_request("do_c1")), Requeue("later", delay=5)])
    assert page_by_page.finish("test.count", name="n") == {"counted": PAGES}
    assert len(list(page_by_page.chain.sender.to("relation_cache_updater"))) == 1
    assert [sent.countdown for sent in page_by_page.ran[1:3]] == [10, 5]


@pytest.mark.parametrize("error", [RefusedByService("no such thing"), ValueError("a bug")])
def test_any_other_error_is_what_the_task_ends_with(page_by_page: LongTasks, error: Exception) -> None:
    failures.append(error)
    with pytest.raises(type(error), match=str(error)):
        page_by_page.finish("test.count", name="n")


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [
        ({}, "missing a required argument: 'name'; it takes name, size"),
        ({"name": "n", "sise": 3}, "unexpected keyword argument 'sise'"),
        ({"name": 3}, "name is not text"),
        ({"name": "n", "slice": "2"}, "leave it out"),
        ({"name": "n", "slice": True}, "leave it out"),
        ({"name": "n", "slice": -1}, "leave it out"),
    ],
)
def test_wrong_arguments_are_named(tasks: LongTasks, kwargs: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidArgument, match=text):
        tasks.finish("test.count", **kwargs)
    assert not done


def test_a_checkpoint_that_is_not_known_any_more(tasks: LongTasks) -> None:
    with pytest.raises(LostRun, match="start it again"):
        tasks.finish("test.count", name="n", slice=3)


def test_a_page_that_kills_its_worker_is_given_up(page_by_page: LongTasks) -> None:
    page_by_page.start("test.count", name="n")
    # Dies before the second effect, each time: in the first page.
    page_by_page.drain(2, 2, 2)
    assert isinstance(page_by_page.results["run-1"], PoisonMessage)
    assert not done


def test_a_run_is_written_over_the_version_before_it_only(chain: Chain) -> None:
    runs = chain.ctx.runs
    assert runs.read("r") is None
    assert runs.write("r", RunState(version=1))
    assert not runs.write("r", RunState(version=1))
    assert not runs.write("r", RunState(version=3))
    assert runs.write("r", RunState(version=2, stand=Checkpoint(after="x", result={"first": ["a"]})))
    assert runs.read("r") == RunState(version=2, stand=Checkpoint(after="x", result={"first": ["a"]}))
    assert 86_400 < chain.ctx.redis.client("state").ttl("lern:run:r") <= 7 * 86_400
