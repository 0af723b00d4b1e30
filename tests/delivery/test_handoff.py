"""Hand-offs that many records ask for."""

from pathlib import Path

import pytest

from lern_tasks.delivery.handoff import Handoff, ThrottledHandoff
from lern_tasks.delivery.record import Record
from lern_tasks.delivery.resources import Resources
from lern_tasks.errors import DependencyDown
from tests.harness.fake_resources import FakeResources
from tests.harness.processes import settings_of


@pytest.fixture
def ctx(tmp_path: Path) -> FakeResources:
    return FakeResources(settings_of({}), tmp_path)


CAUSE = Record(value=None, topic="dev.cause")


def made(ctx: Resources, cause: Record) -> Handoff:
    return Handoff(
        job="certificate_replacement",
        event={"at": ctx.now_ms()},
        topic="dev.t",
        key="k",
        business_key="b",
        cause=cause,
    )


THROTTLED = ThrottledHandoff(key="thing:1", make=made)


def test_it_is_handed_off_once_until_its_key_expires(ctx: FakeResources) -> None:
    THROTTLED.ask(ctx, CAUSE)
    THROTTLED.ask(ctx, CAUSE)
    ThrottledHandoff(key="thing:2", make=made).ask(ctx, CAUSE)
    assert len(ctx.sent.sent) == 2
    state = ctx.redis.client("state")
    assert 0 < state.ttl("lern:once:thing:1") <= 60
    state.delete("lern:once:thing:1")
    ctx.time_ms += 60_000
    THROTTLED.ask(ctx, CAUSE)
    assert [sent.records[0].value for sent in ctx.sent.sent][::2] == [
        f'{{"at":{at}}}' for at in (ctx.time_ms - 60_000, ctx.time_ms)
    ]


def test_what_fails_is_asked_for_again_later_and_raises_nothing(ctx: FakeResources) -> None:
    ctx.sent.down = True
    THROTTLED.ask(ctx, CAUSE)
    assert ctx.redis.client("state").exists("lern:once:thing:1"), "the broker is left alone for the minute"
    ctx.sent.down = False
    ctx.redis.client("state").delete("lern:once:thing:1")
    THROTTLED.ask(ctx, CAUSE)
    assert len(ctx.sent.sent) == 1


def test_without_the_state_redis_nothing_is_handed_off(ctx: FakeResources) -> None:
    class Down:
        def claim(self, *_: object, **__: object) -> bool:
            raise DependencyDown("redis")

    ctx.idempotency_keys = Down()  # type: ignore[assignment]
    THROTTLED.ask(ctx, CAUSE)
    assert not ctx.sent.sent
