"""Whether what failed is tried again, and when."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.delivery.record import Attempts
from lern_tasks.delivery.retry_policy import Again, Decision, GiveUp, RetryLimits, RetryPolicy, decide
from lern_tasks.errors import (
    DependencyDown,
    InvalidEvent,
    LernError,
    LockBusy,
    NotReady,
    RefusedByService,
    Requeue,
    SettingsError,
    TransientError,
    UnknownOutcome,
)
from tests.harness.fake_resources import FakeResources
from tests.harness.processes import settings_of

LIMITS = RetryLimits()
DAY_MS = 86_400_000
ALMOST_ONE = 0.999_999


def decided(
    error: LernError,
    *,
    attempt: int = 0,
    not_yet: int = 0,
    first_failed_ms: int | None = None,
    now_ms: int = 0,
    jitter: float = ALMOST_ONE,
) -> Decision:
    return decide(
        error,
        Attempts(attempt=attempt, not_yet=not_yet, first_failed_ms=first_failed_ms),
        now_ms=now_ms,
        limits=LIMITS,
        jitter=jitter,
    )


@pytest.mark.parametrize(("attempt", "longest"), [(0, 2), (1, 8), (2, 32), (3, 60), (4, 60)])
def test_a_transient_error_waits_longer_each_time_with_full_jitter(attempt: int, longest: float) -> None:
    error = TransientError("timeout")
    assert decided(error, attempt=attempt, jitter=0.0) == Again(delay_seconds=0.0, consumes="attempt")
    assert decided(error, attempt=attempt, jitter=0.5) == Again(delay_seconds=longest / 2, consumes="attempt")


@pytest.mark.parametrize("attempt", [5, 6, 10_000])
def test_a_transient_error_is_given_up_after_five_retries(attempt: int) -> None:
    assert decided(TransientError("timeout"), attempt=attempt) == GiveUp(code="TRANSIENT")


@pytest.mark.parametrize(
    ("retry_after", "delay"),
    [
        (None, 1.0),
        (0.0, 1.0),
        (-5.0, 1.0),
        (17.0, 17.0),
        (60.0, 60.0),
        (3600.0, 60.0),
        (float("inf"), 60.0),
        (float("nan"), 1.0),
    ],
)
def test_the_wait_that_a_service_asks_for_is_respected_up_to_the_cap(retry_after: float | None, delay: float) -> None:
    error = TransientError("too many requests", retry_after=retry_after)
    assert decided(error, jitter=0.5) == Again(delay_seconds=delay, consumes="attempt")


@pytest.mark.parametrize(("attempt", "delay"), [(0, 30.0), (1, 30.0), (2, 30.0), (3, 54.0), (4, 54.0)])
def test_after_an_unknown_outcome_the_index_is_waited_for(attempt: int, delay: float) -> None:
    assert decided(UnknownOutcome("no answer"), attempt=attempt, jitter=0.9) == Again(
        delay_seconds=delay, consumes="attempt"
    )


def test_an_unknown_outcome_is_given_up_after_five_retries() -> None:
    assert decided(UnknownOutcome("no answer"), attempt=5) == GiveUp(code="UNKNOWN_OUTCOME")


@pytest.mark.parametrize(("spent", "delay"), list(enumerate([10.0, 30.0, 60.0, 120.0, 300.0])))
def test_what_is_not_there_yet_is_waited_for(spent: int, delay: float) -> None:
    # Attempts that were spent on other errors do not count, nor does the age.
    decision = decided(NotReady("no leaf nodes"), not_yet=spent, attempt=5, first_failed_ms=0, now_ms=2 * DAY_MS)
    assert decision == Again(delay_seconds=delay, consumes="not_yet")


@pytest.mark.parametrize("spent", [5, 6])
def test_what_is_still_not_there_is_given_up(spent: int) -> None:
    assert decided(NotReady("no leaf nodes"), not_yet=spent) == GiveUp(code="NOT_YET")


@pytest.mark.parametrize(
    ("error", "delay", "code"),
    [
        (NotReady("index lag", consumes=False), 30.0, "NOT_YET"),
        (DependencyDown("cassandra"), 10.0, "DEPENDENCY_DOWN"),
    ],
)
def test_waiting_that_spends_nothing_ends_by_age_only(error: LernError, delay: float, code: str) -> None:
    again = Again(delay_seconds=delay, consumes=None)
    assert decided(error, attempt=99, not_yet=99) == again
    assert decided(error, attempt=99, not_yet=99, first_failed_ms=1, now_ms=DAY_MS) == again
    assert decided(error, first_failed_ms=0, now_ms=DAY_MS) == GiveUp(code=code)


def test_a_clock_that_was_set_back_ends_nothing() -> None:
    assert decided(DependencyDown("kafka"), first_failed_ms=5 * DAY_MS, now_ms=0) == Again(
        delay_seconds=10.0, consumes=None
    )


def test_a_busy_lock_is_tried_again_soon_and_spends_nothing() -> None:
    assert decided(LockBusy("progress:u1:do_c1:b1"), attempt=99, not_yet=99, first_failed_ms=0, now_ms=DAY_MS) == Again(
        delay_seconds=1.0, consumes=None
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidEvent("no user"), "INVALID_EVENT"),
        (RefusedByService("404"), "REFUSED"),
        (SettingsError("no topic"), "SETTINGS"),
        (LernError("anything"), "LERN_ERROR"),
    ],
)
def test_everything_else_is_given_up_at_once(error: LernError, code: str) -> None:
    assert decided(error) == GiveUp(code=code)


ERRORS = st.one_of(
    st.builds(TransientError, st.just("x"), st.none(), st.none() | st.floats()),
    st.builds(UnknownOutcome, st.just("x"), st.none(), st.none() | st.floats()),
    st.builds(NotReady, st.just("x"), consumes=st.booleans()),
    st.just(DependencyDown("redis")),
    st.just(LockBusy("x")),
)


@given(
    error=ERRORS,
    spent=st.integers(min_value=0, max_value=100),
    age=st.integers(min_value=-DAY_MS, max_value=2 * DAY_MS),
    jitter=st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_no_wait_exceeds_its_cap(error: LernError, spent: int, age: int, jitter: float) -> None:
    decision = decided(error, attempt=spent, not_yet=spent, first_failed_ms=0, now_ms=age, jitter=jitter)
    if isinstance(decision, Again):
        cap = max(LIMITS.not_yet_delays) if isinstance(error, NotReady) else LIMITS.cap
        assert 0 <= decision.delay_seconds <= cap


@given(errors=st.lists(ERRORS, min_size=30, max_size=30), jitter=st.floats(min_value=0, max_value=1, exclude_max=True))
def test_no_record_spends_more_than_its_budget(errors: list[LernError], jitter: float) -> None:
    spent = Attempts()
    for error in errors:
        decision = decided(error, attempt=spent.attempt, not_yet=spent.not_yet, jitter=jitter)
        if isinstance(decision, GiveUp):
            break
        spent = spent.after(decision.consumes, now_ms=0)
    assert spent.attempt <= LIMITS.retries
    assert spent.not_yet <= len(LIMITS.not_yet_delays)


def test_a_failure_spends_one_count_or_none_and_the_first_is_remembered() -> None:
    first = Attempts().after(None, now_ms=7)
    assert first == Attempts(attempt=0, not_yet=0, first_failed_ms=7)
    assert first.after("attempt", now_ms=9) == Attempts(attempt=1, not_yet=0, first_failed_ms=7)
    assert first.after("not_yet", now_ms=9) == Attempts(attempt=0, not_yet=1, first_failed_ms=7)


@pytest.fixture
def ctx(tmp_path: Path) -> FakeResources:
    settings = settings_of(
        {
            "LERN_TASKS__RETRIES": "2",
            "LERN_TASKS__NOT_YET_DELAYS": "[7]",
            "LERN_COLLECTION_CERTIFICATE_GENERATOR__INDEX_LAG": "55",
        }
    )
    return FakeResources(settings, tmp_path)


def test_the_policy_has_the_installations_limits_and_no_delay_after_an_outage(ctx: FakeResources) -> None:
    policy = RetryPolicy(ctx)
    assert policy.next(Attempts(), NotReady("x")) == Again(delay_seconds=7.0, consumes="not_yet")
    assert policy.next(Attempts(attempt=2), TransientError("x")) == GiveUp(code="TRANSIENT")
    assert policy.next(Attempts(), UnknownOutcome("x")) == Again(delay_seconds=55.0, consumes="attempt")
    assert policy.next(Attempts(), DependencyDown("kafka")) == Again(delay_seconds=0.0, consumes=None)


def test_the_policy_is_of_one_moment_and_one_jitter(ctx: FakeResources) -> None:
    policy, then = RetryPolicy(ctx), ctx.time_ms
    ctx.time_ms += DAY_MS
    assert policy.now_ms == then
    assert policy.next(Attempts(first_failed_ms=then), DependencyDown("x")) == Again(delay_seconds=0.0, consumes=None)
    error = TransientError("timeout")
    assert len({policy.next(Attempts(attempt=1), error) for _ in range(10)}) == 1


def test_a_requeue_waits_its_own_time_and_a_bug_is_given_up(ctx: FakeResources) -> None:
    policy = RetryPolicy(ctx)
    assert policy.next(Attempts(attempt=99), Requeue("later", delay=700.0)) == Again(delay_seconds=700.0, consumes=None)
    assert policy.next(Attempts(), KeyError("x")) == GiveUp(code="BUG")


def test_the_outage_behind_an_error_is_asked_for_once(ctx: FakeResources) -> None:
    asked: list[str] = []

    def probe(name: str) -> None:
        asked.append(name)
        if name == "registry":
            raise DependencyDown(name)
        if name == "files":
            raise SettingsError("no such place")

    ctx.probe = probe  # type: ignore[method-assign]
    policy = RetryPolicy(ctx)
    for name, down in [("registry", True), ("search", False), ("files", False)] * 2:
        found = policy.outage_behind(TransientError("timeout", dependency=name))
        assert (found is not None and found.name == name) == down
    assert asked == ["registry", "search", "files"]


def test_an_outage_explains_itself_and_other_errors_have_none(ctx: FakeResources) -> None:
    def unasked(name: str) -> None:
        raise AssertionError(name)

    ctx.probe = unasked  # type: ignore[method-assign]
    policy, down = RetryPolicy(ctx), DependencyDown("kafka")
    assert policy.outage_behind(down) is down
    for error in (TransientError("timeout"), RefusedByService("404"), NotReady("x"), KeyError("x")):
        assert policy.outage_behind(error) is None
