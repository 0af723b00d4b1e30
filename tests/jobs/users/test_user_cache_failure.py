"""The user cache when something fails: nothing lost, nothing half written, nobody blocked by somebody else."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count as numbers
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lern_tasks.delivery.locks import HeldLocks
from lern_tasks.demo.platform.platform_api import PlatformApi
from lern_tasks.demo.platform.registry import Registry
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.profiles import CACHED, SCHOOL, cache, cached, changed, documented, profile, reads

JOB: Final = "user_cache_updater"
FAILED = "dev.lern.tasks.failed"
AGAIN = {"done": 0, "skipped": 0, "again": 1, "dead": 0}

EFFECTS = 9
"""Of the run below: arrive, lock, three users, release, forget, acknowledge; the last death finds nothing to end."""


def send(chain: Chain, *events: Any) -> None:
    chain.send(JOB, *(chain.record(event) for event in events))


def headers(chain: Chain) -> list[Mapping[str, str]]:
    return [{name: (value or b"").decode() for name, value in each.headers} for each in chain.published.to(FAILED)]


@pytest.mark.parametrize("fault", ["500", "503", "429", "drop", "200_error"])
def test_a_service_that_fails_twice_delays_one_write(chain: Chain, fault: str) -> None:
    profile(chain)
    cache(chain, schoolname="A", userlogintype="student")
    chain.platform.switches.update({"user_read": fault, "user_read_times": 2})
    send(chain, documented())
    effects = chain.drain()
    assert effects.count("write user") == 1
    assert cached(chain) == {**CACHED, "userlogintype": "student"}
    assert reads(chain) == 3
    assert not chain.published.messages


def test_a_long_outage_spends_nothing_and_other_events_of_the_user_go_on(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_USER_CACHE_UPDATER__SOFT_TIME_LIMIT="1")
    profile(chain)
    chain.platform.stop()
    app = changed("u-100", ("UserRole", "student"), pid="app")
    counts = chain.run(JOB, chain.record(documented()), chain.record(app))
    assert counts == {"done": 1, "skipped": 0, "again": 1, "dead": 0}
    assert cached(chain) == {"userlogintype": "student"}
    (sent,) = chain.sender.to(JOB)
    assert [(record.attempt, record.not_yet) for record in sent.records] == [(0, 0)]
    chain.platform.start()
    chain.drain()
    assert cached(chain) == {**CACHED, "userlogintype": "student"}


def test_a_service_that_answers_nobody_is_not_asked_for_each_user(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_TASKS__PROBE_MIN="30", LERN_TASKS__PROBE_MAX="30")
    users = [f"u-{number}" for number in range(10)]
    profile(chain, *users)
    chain.platform.switches.update({"user_read": "500", "user_read_times": 3})
    counts = chain.run(JOB, *(chain.record(changed(user)) for user in users))
    assert counts == {"done": 0, "skipped": 0, "again": 10, "dead": 0, "waiting": 7}
    assert reads(chain) == 3
    chain.ctx.redis.client("state").delete("lern:operations")
    chain.drain()
    assert {cached(chain, user).get("userid") for user in users} == set(users)


def test_a_user_who_comes_late_is_waited_for(chain: Chain) -> None:
    send(chain, documented())
    assert chain.run(JOB, chain.record(documented())) == AGAIN
    profile(chain)
    chain.drain()
    assert cached(chain) == CACHED
    assert not chain.published.messages


def test_an_unknown_user_is_a_dead_letter_in_the_end_and_delays_no_neighbour(chain: Chain) -> None:
    profile(chain, "u-2")
    events = [changed("u-1"), changed("u-2")]
    assert chain.run(JOB, *(chain.record(event) for event in events)) == {
        "done": 1,
        "skipped": 0,
        "again": 1,
        "dead": 0,
    }
    chain.drain()
    assert reads(chain, "u-1") == 6
    (dead_letter,) = chain.published.to(FAILED)
    assert json.loads(dead_letter.value or b"") == events[0]
    (header,) = headers(chain)
    assert (header["lern-code"], header["lern-attempts"]) == ("NOT_YET", "6")
    assert cached(chain, "u-1") == {}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("not json", "INVALID_EVENT"),
        ("[]", "INVALID_EVENT"),
        (None, "INVALID_EVENT"),
        ({**changed(), "object": {"id": " ", "type": "User"}}, "INVALID_EVENT"),
        ({**changed(), "context": "x"}, "INVALID_EVENT"),
        (changed(".."), "INVALID_EVENT"),
    ],
)
def test_a_bad_event_is_a_dead_letter_at_once_and_its_neighbours_are_done(chain: Chain, value: Any, code: str) -> None:
    profile(chain)
    record = chain.record(value)
    counts = chain.run(JOB, record, chain.record(documented()))
    assert counts == {"done": 1, "skipped": 0, "again": 0, "dead": 1}
    (dead_letter,) = chain.published.to(FAILED)
    assert dead_letter.value == record.raw()
    assert headers(chain)[0]["lern-code"] == code
    assert cached(chain) == CACHED


def test_an_entry_without_type_is_passed_over(chain: Chain) -> None:
    profile(chain)
    event = documented()
    event["context"]["cdata"] += [{"id": "x"}, {"id": "x", "type": None}, None]
    assert chain.run(JOB, chain.record(event))["done"] == 1
    assert cached(chain) == CACHED


def test_another_kind_of_key_in_place_of_a_hash_keeps_no_other_user_waiting(chain: Chain) -> None:
    profile(chain, "u-1", "u-2")
    chain.ctx.redis.client("users", JOB).set("user:u-1", "text")
    counts = chain.run(JOB, chain.record(changed("u-1")), chain.record(changed("u-2")))
    assert counts == {"done": 1, "skipped": 0, "again": 1, "dead": 0}
    assert cached(chain, "u-2")["firstname"] == "Asha"


def test_a_user_whose_lock_is_held_elsewhere_goes_round_and_spends_nothing(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_TASKS__LOCK_WAIT="0")
    profile(chain)
    locks = chain.ctx.locks.acquire(["user-cache:u-100"])
    assert chain.run(JOB, chain.record(documented())) == AGAIN
    assert reads(chain) == 0
    locks.release()
    chain.drain()
    assert cached(chain) == CACHED


def test_a_user_whose_lock_is_lost_while_it_is_written_goes_round(chain: Chain) -> None:
    profile(chain, "u-1", "u-2")
    state, write = chain.ctx.redis.client("state"), chain.ctx.user_cache.write

    def overtaken(changes: Any) -> Any:
        state.set("lern:lock:user-cache:u-1", "another's")
        return write(changes)

    chain.ctx.user_cache.write = overtaken  # type: ignore[method-assign]
    counts = chain.run(JOB, chain.record(changed("u-1")), chain.record(changed("u-2")))
    assert counts == {"done": 1, "skipped": 0, "again": 1, "dead": 0}
    (sent,) = chain.sender.to(JOB)
    assert [(record.attempt, record.not_yet) for record in sent.records] == [(0, 0)]


def test_few_users_are_locked_together(chain: Chain) -> None:
    users = [f"u-{number}" for number in range(45)]
    profile(chain, *users)
    acquire, together = chain.ctx.locks.acquire, []

    def counted(keys: Sequence[str]) -> HeldLocks:
        together.append(len(keys))
        return acquire(keys)

    chain.ctx.locks.acquire = counted  # type: ignore[method-assign]
    assert chain.run(JOB, *(chain.record(changed(user)) for user in users))["done"] == 45
    assert together == [20, 20, 5]


def test_a_redis_that_is_away_is_waited_for(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_USER_CACHE_UPDATER__SOFT_TIME_LIMIT="1")
    profile(chain)
    write = chain.ctx.user_cache.write

    def away(changes: Any) -> Any:
        chain.ctx.user_cache.write = write  # type: ignore[method-assign]
        chain.redis_server.connected = False
        try:
            return write(changes)
        finally:
            chain.redis_server.connected = True

    chain.ctx.user_cache.write = away  # type: ignore[method-assign]
    assert chain.run(JOB, chain.record(documented()))["done"] == 1
    assert cached(chain) == CACHED


def mixed(chain: Chain, *deaths: int, backwards: bool = False) -> list[str]:
    """Three users in one message: one whose school is gone, one who is new, one whom another producer speaks of."""
    profile(chain, "u-1", userLocations=[{"type": "state", "name": "Goa"}])
    profile(chain, "u-2", userLocations=[SCHOOL])
    cache(chain, "u-1", state="Assam", schoolname="A", schooludisecode="1")
    role = ("UserRole", "student")
    send(chain, changed("u-1"), changed("u-2", ("SignupType", "sso")), changed("u-3", role, pid="app"), changed("u-1"))
    return chain.drain(*deaths, backwards=backwards)


def test_a_run_without_deaths_has_these_effects(make_chain: MakeChain) -> None:
    assert len(mixed(make_chain())) == EFFECTS - 1


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("death", range(1, EFFECTS + 1))
def test_after_a_death_everything_is_as_if_it_had_not_been(make_chain: MakeChain, death: int, backwards: bool) -> None:
    chain = make_chain()
    mixed(chain, death, backwards=backwards)
    first, second, third = (cached(chain, user) for user in ("u-1", "u-2", "u-3"))
    assert first["state"] == "Goa"
    assert not {"schoolname", "schooludisecode", "usersignintype"} & set(first)
    assert (second["schoolname"], second["usersignintype"]) == (CACHED["schoolname"], "Validated")
    assert third == {"userlogintype": "student"}
    assert not chain.published.messages


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """One environment for all examples: each has a user of its own."""
    with Registry() as registry, PlatformApi() as platform:
        chain = Chain(tmp_path_factory.mktemp("chain"), registry, platform)
        yield chain
        chain.close()


USERS = numbers()
SAID = st.sampled_from([("SignupType", "google"), ("SignupType", "sso"), ("UserRole", "a"), ("UserRole", "b")])
EVENT = st.tuples(st.lists(SAID, max_size=2), st.sampled_from(["learner-service", "app"]), st.integers(1, 3))


@given(st.lists(EVENT, min_size=1, max_size=5), st.randoms(), st.integers(1, 5))
@settings(max_examples=15)
def test_events_in_any_order_doubled_alone_or_packed_leave_one_hash(
    shared: Chain, events: list[tuple[list[tuple[str, str]], str, int]], random: Any, size: int
) -> None:
    user = f"any-{next(USERS)}"
    profile(shared, user)
    in_order = [changed(user, *said, pid=pid, ets=ets) for said, pid, ets in events]
    delivered = [*in_order, *random.sample(in_order, len(in_order) // 2)]
    random.shuffle(delivered)
    for start in range(0, len(delivered), size):
        send(shared, *delivered[start : start + size])
    shared.drain()
    expected = {}
    if any(pid == "learner-service" for _, pid, _ in events):
        expected = {**CACHED, "userid": user}
        del expected["usersignintype"]
    for kind, field, values in (
        ("SignupType", "usersignintype", {"google": "Self-Signed-In", "sso": "Validated"}),
        ("UserRole", "userlogintype", {"a": "a", "b": "b"}),
    ):
        said_of_it = [(ets, values[dict(said)[kind]]) for said, _, ets in events if kind in dict(said)]
        if said_of_it:
            expected[field] = max(said_of_it)[1]
    assert cached(shared, user) == expected
