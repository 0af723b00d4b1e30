"""What is known of an operation, and what follows from it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.delivery.outages import breaker as rules
from lern_tasks.delivery.outages.breaker import OPENS_AT, Breaker, Success, Timing, spends_attempt

TIMING = Timing(probe_min_ms=1000, probe_max_ms=5000, lease_ms=40_000)
RECORDS = st.sampled_from(["a", "b", "c", "d", "e"])
TIMES = st.integers(min_value=0, max_value=10_000_000)
SUCCESSES = st.none() | st.builds(Success, record=RECORDS, at_ms=TIMES)
BREAKERS = st.builds(
    Breaker,
    last=SUCCESSES,
    other=SUCCESSES,
    failing=st.lists(RECORDS, unique=True, max_size=OPENS_AT).map(tuple),
    since_ms=TIMES,
    probes=st.integers(min_value=0, max_value=100_000),
    next_probe_ms=TIMES,
    prober=st.just("") | RECORDS,
    lease_ms=TIMES,
)


def out(*records: str, now_ms: int = 0) -> Breaker:
    breaker = Breaker()
    for record in records:
        breaker = rules.failed(breaker, record, "503", now_ms, TIMING)
    return breaker


def test_one_record_that_fails_stops_nobody_and_three_do() -> None:
    assert not out(*"aaaaaaaa").is_open
    assert not out("a", "b").is_open
    assert out("a", "b", "c").is_open
    between = rules.succeeded(out("a", "b"), "x", 5)
    assert not rules.failed(between, "c", "503", 6, TIMING).is_open


def test_an_outage_is_probed_by_one_record_at_a_time() -> None:
    breaker = out("a", "b", "c")
    assert rules.admitted(breaker, "d", 999, TIMING) is None
    probed = rules.admitted(breaker, "d", 1000, TIMING)
    assert probed is not None
    assert rules.admitted(probed, "e", 1001, TIMING) is None
    again = rules.failed(probed, "d", "503", 2000, TIMING)
    assert (again.prober, again.next_probe_ms) == ("", 4000)
    assert rules.admitted(again, "e", 4000, TIMING)


def test_who_probes_and_dies_is_followed_by_another_after_the_lease() -> None:
    probed = rules.admitted(out("a", "b", "c"), "d", 1000, TIMING)
    assert probed is not None
    assert rules.admitted(probed, "e", 40_999, TIMING) is None
    assert rules.admitted(probed, "e", 41_000, TIMING)


def test_a_refused_probe_says_nothing_and_the_next_is_at_once() -> None:
    probed = rules.admitted(out("a", "b", "c"), "d", 1000, TIMING)
    assert probed is not None
    given_back = rules.abandoned(probed, "d")
    assert given_back.is_open
    assert rules.admitted(given_back, "e", 1000, TIMING)
    assert rules.abandoned(probed, "e") == probed


def test_a_failure_is_the_records_own_when_another_has_succeeded_since_the_one_before() -> None:
    breaker = Breaker(last=Success(record="a", at_ms=50), other=Success(record="b", at_ms=40))
    assert not spends_attempt(breaker, "c", None)
    assert spends_attempt(breaker, "c", 49)
    assert not spends_attempt(breaker, "c", 50)
    # Its own success says nothing of the others.
    assert not spends_attempt(breaker, "a", 40)
    assert spends_attempt(breaker, "a", 39)


@given(breaker=BREAKERS, now=TIMES, record=RECORDS)
def test_whatever_the_clocks_say_somebody_probes_in_time(breaker: Breaker, now: int, record: str) -> None:
    later = now + max(TIMING.lease_ms, TIMING.probe_max_ms)
    assert rules.admitted(breaker, record, now, TIMING) or rules.admitted(breaker, record, later, TIMING)


@given(breaker=BREAKERS, now=TIMES, records=st.lists(RECORDS, min_size=2, max_size=9))
def test_of_many_who_ask_at_one_time_at_most_one_probes(breaker: Breaker, now: int, records: list[str]) -> None:
    asked = 0
    for record in records:
        after = rules.admitted(breaker, record, now, TIMING)
        asked += after is not None
        breaker = after or breaker
    assert asked <= 1 or not breaker.is_open


@given(breaker=BREAKERS, now=TIMES, record=RECORDS)
def test_a_success_ends_any_outage_and_is_known_to_the_others(breaker: Breaker, now: int, record: str) -> None:
    after = rules.succeeded(breaker, record, now)
    assert not after.failing
    assert not rules.rests(after, now, TIMING)
    if breaker.failing:
        assert all(spends_attempt(after, other, now - 1) for other in "abcde" if other != record)


@given(breaker=BREAKERS, now=TIMES, record=RECORDS)
def test_a_failure_ends_no_outage_and_forgets_no_success(breaker: Breaker, now: int, record: str) -> None:
    after = rules.failed(breaker, record, "503", now, TIMING)
    assert after.is_open >= breaker.is_open
    assert (after.last, after.other) == (breaker.last, breaker.other)
    assert 0 < after.next_probe_ms - now <= TIMING.probe_max_ms
    assert replace(after, since_ms=0).failing[: len(breaker.failing)] == breaker.failing
