"""A merge of accounts whose process dies between any two effects: in the end everything is as if it had not."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.merges import (
    COPIED,
    INACTIVE,
    JOB,
    NEW,
    OLD,
    OWN,
    SHARED,
    account,
    attempted,
    cells,
    merge,
    prepare,
    published,
    reconciled,
    undone,
)

EFFECTS = 43
"""How many effects a merge has before what it handed on is run: one death before each of them."""

ATTEMPTS = {"LERN_MERGE_USER_COURSES__COPY_ATTEMPTS": "true"}


def merged(chain: Chain, *deaths: int, backwards: bool = False, times: int = 1) -> list[str]:
    """One merge with all its steps, and what follows it."""
    prepare(chain)
    attempted(chain, OLD, SHARED, "r1", "a1", total_score=2.0)
    attempted(chain, NEW, SHARED, "r1", "a2", total_score=1.0)
    before = cells(chain, OLD)
    record = chain.record(merge())
    for _ in range(times):
        chain.send(JOB, record)
    effects = chain.drain(*deaths, backwards=backwards)
    assert cells(chain, OLD) == before
    return effects


def state(chain: Chain) -> dict[str, Any]:
    """All that may not depend on deaths."""
    return {
        "account": account(chain, NEW),
        "undone": undone(chain),
        "reconciled": set(reconciled(chain)),
        "published": set(published(chain)),
        "scored": {event["contentId"] for event in chain.sent_events("assessment_aggregator")},
        "dead": chain.published.to("failed"),
    }


_UNDISTURBED: dict[str, Any] = {}


def undisturbed(make_chain: MakeChain) -> dict[str, Any]:
    """What a run without deaths leaves, computed once."""
    if not _UNDISTURBED:
        chain = make_chain(**ATTEMPTS)
        merged(chain)
        _UNDISTURBED.update(state(chain))
    return _UNDISTURBED


def effects_of_the_merge(effects: list[str]) -> int:
    """Up to the acknowledgement of the merge itself."""
    return effects.index("acknowledge") + 1


def test_a_merge_without_deaths(make_chain: MakeChain) -> None:
    chain = make_chain(**ATTEMPTS)
    assert effects_of_the_merge(merged(chain)) == EFFECTS
    found = state(chain)
    assert found["reconciled"] == {SHARED, COPIED, INACTIVE}
    assert found["published"] == {SHARED, COPIED, INACTIVE, OWN}
    assert found["scored"] == {"r1"}
    assert not found["undone"]
    assert not found["dead"]
    figures = found["account"]["figures"][SHARED]["aggregates"]
    assert (figures["completedCount"], figures["score:r1"], figures["attempts_count:r1"]) == (3.0, 2.0, 2.0)


@pytest.mark.parametrize("death", range(1, EFFECTS + 1))
def test_a_merge_after_a_death(make_chain: MakeChain, death: int) -> None:
    chain = make_chain(**ATTEMPTS)
    merged(chain, death)
    assert state(chain) == undisturbed(make_chain)


@pytest.mark.parametrize("death", [6, 7, 8, 9, 14, 16, 20, 22, 23])
def test_a_merge_after_a_death_where_rows_are_written_from_the_last(make_chain: MakeChain, death: int) -> None:
    """Where several rows are written at once: no order is promised between them."""
    chain = make_chain(**ATTEMPTS)
    merged(chain, death, backwards=True)
    assert state(chain) == undisturbed(make_chain)


@pytest.mark.parametrize("times", [2, 4])
def test_a_merge_that_is_delivered_several_times(make_chain: MakeChain, times: int) -> None:
    chain = make_chain(**ATTEMPTS)
    merged(chain, times=times)
    assert state(chain) == undisturbed(make_chain)


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deaths=st.lists(st.integers(1, 90), max_size=2), times=st.integers(1, 2))
def test_a_merge_after_several_deaths(make_chain: MakeChain, deaths: list[int], times: int) -> None:
    chain = make_chain(**ATTEMPTS)
    merged(chain, *deaths, times=times)
    assert state(chain) == undisturbed(make_chain)
