"""The bulk user index: two runs at once, one run a day."""

import pytest

from lern_tasks.errors import RefusedByService
from lern_tasks.jobs.users.index import pages
from lern_tasks.jobs.users.index.index_users import NAME, index_users, start_daily
from tests.delivery.resumable.long_tasks import ONE_PAGE, LongTasks
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.indexed import names, seed


@pytest.fixture
def tasks(chain: Chain) -> LongTasks:
    return LongTasks(chain, index_users)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)


def test_a_second_run_says_that_one_goes_on(make_chain: MakeChain) -> None:
    chain = make_chain(**ONE_PAGE)
    tasks = LongTasks(chain, index_users)
    seed(chain, *(f"u{n}" for n in range(5)))
    first, second = tasks.start(NAME), tasks.start(NAME, since="full")
    tasks.drain()
    assert tasks.results[first]["written"] == 5
    assert isinstance(tasks.results[second], RefusedByService)
    assert first in str(tasks.results[second])
    assert tasks.finish(NAME, since="full")["written"] == 5


def test_one_page_of_a_run_at_a_time(chain: Chain, tasks: LongTasks) -> None:
    """A message delivered twice does not do its page twice at once."""
    seed(chain, "u1")
    held = chain.ctx.locks.acquire(["index-users"])
    assert held.tokens
    tasks.start(NAME)
    assert tasks.run(chain.sender.named[0]) is None
    assert not names(chain)
    held.release()
    assert tasks.run(chain.sender.named[1])["written"] == 1


def test_one_run_a_day_however_many_beats(chain: Chain) -> None:
    ids = {start_daily(chain.ctx) for _ in range(2)}
    assert len(ids) == len(chain.sender.named) == 1
    (sent,) = chain.sender.named
    assert (sent.name, sent.queue, dict(sent.kwargs), {sent.task_id}) == (NAME, "bulk", {}, ids)
    chain.ctx.time_ms += 86_400_000
    assert start_daily(chain.ctx) not in ids


def test_nothing_personal_is_logged_or_told(chain: Chain, tasks: LongTasks, capfd: pytest.CaptureFixture[str]) -> None:
    seed(chain, "u1", firstname="Zebedee", profilelocation='{"Secretville"')
    result = tasks.finish(NAME)
    logged = capfd.readouterr()
    stored = [
        chain.ctx.redis.client("state").hgetall(key) for key in chain.ctx.redis.client("state").scan_iter("lern:run:*")
    ]
    told = repr(result) + logged.out + logged.err + repr(stored)
    assert "unreadable" in told
    assert "Zebedee" not in told
    assert "Secretville" not in told
