"""A process that dies between any two effects: in the end everything is as if it had not, and nothing is doubled."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness.fixtures import MakeChain
from tests.harness.without_registry import Make
from tests.jobs.accounts.crashes import Merge
from tests.jobs.assessments.crashes import Scoring
from tests.jobs.certificates.crashes import Documenting, Reissue
from tests.jobs.crash_scenario import CrashScenario
from tests.jobs.progress.crashes import Aggregation, Issuing, Reconciliation, WholeChain
from tests.jobs.users.crashes import Refresh

Kind = type[CrashScenario]
Begin = Callable[..., CrashScenario]

KINDS: tuple[Kind, ...] = (Aggregation, Reconciliation, Scoring, Merge, Issuing, Documenting, Reissue, Refresh)

_UNDISTURBED: dict[Kind, dict[str, Any]] = {}


@pytest.fixture
def begin(make_chain: MakeChain, make_documents: Make) -> Begin:
    """Makes a scenario in an environment of its own."""

    def begun(kind: Kind, env: Mapping[str, str] | None = None) -> CrashScenario:
        make: Callable[..., Any] = make_documents if kind.without_registry else make_chain
        return kind(make(**{**kind.settings, **(env or {})}))

    return begun


def undisturbed(kind: Kind, begin: Begin) -> dict[str, Any]:
    """What a run without deaths leaves, computed once."""
    if kind not in _UNDISTURBED:
        scenario = begin(kind)
        scenario.check(scenario.run())
        _UNDISTURBED[kind] = scenario.state()
    return _UNDISTURBED[kind]


def cases() -> list[Any]:
    """Each death of each scenario."""
    found = []
    for kind in KINDS:
        env, again = kind.written_again
        deaths: list[tuple[int, bool, Mapping[str, str], str]]
        deaths = [(death, False, {}, "") for death in range(1, kind.effects + 1)]
        deaths += [(death, True, {}, "-backwards") for death in kind.backwards]
        deaths += [(death, False, env, "-written-again") for death in again]
        found += [pytest.param(kind, *values, id=f"{kind.__name__}-{values[0]}{suffix}") for *values, suffix in deaths]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_work_has_these_effects(begin: Begin, kind: Kind) -> None:
    scenario = begin(kind)
    assert scenario.counted(scenario.run()) == kind.effects


@pytest.mark.parametrize(("kind", "death", "backwards", "env"), cases())
def test_a_death_changes_nothing(begin: Begin, kind: Kind, death: int, backwards: bool, env: Mapping[str, str]) -> None:
    scenario = begin(kind, env)
    scenario.check(scenario.run(death, backwards=backwards))
    assert scenario.state() == undisturbed(kind, begin)


@pytest.mark.parametrize("times", [2, 4])
def test_a_merge_that_is_asked_for_several_times(begin: Begin, times: int) -> None:
    scenario = begin(Merge)
    scenario.check(scenario.run(times=times))
    assert scenario.state() == undisturbed(Merge, begin)


def test_a_copy_of_a_lesson_says_what_the_dead_one_had_not_said(begin: Begin) -> None:
    """The copy comes first after the death: it finds the course complete, and the counts that were noted down."""
    scenario = begin(WholeChain)
    scenario.check(scenario.run(7, 1, 12, times=2))
    assert scenario.state() == undisturbed(WholeChain, begin)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [WholeChain, Scoring, Merge])
@settings(max_examples=28, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deaths=st.lists(st.integers(1, 90), max_size=3), times=st.integers(1, 2))
def test_several_deaths_and_doubled_messages_change_nothing(
    begin: Begin, kind: Kind, deaths: list[int], times: int
) -> None:
    scenario = begin(kind)
    scenario.check(scenario.run(*deaths, times=times))
    assert scenario.state() == undisturbed(kind, begin)


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(["first", "first", "other", "re-issue", "re-issue"]),
    deaths=st.lists(st.integers(1, 40), max_size=2),
)
def test_first_certificates_and_reissues_in_any_order_with_deaths(
    make_documents: Make, order: list[str], deaths: list[int]
) -> None:
    scenario = Reissue(make_documents())
    scenario.prepare()
    certs = scenario.certs
    events = {
        "first": certs.event("merit"),
        "other": certs.event("Participation"),
        "re-issue": certs.event("Merit", oldId=scenario.old_id),
    }
    for name in order:
        scenario.chain.send("collection_certificate_generator", scenario.chain.record(events[name]))
    scenario.check(scenario.chain.drain(*deaths))
    assert sorted(element["name"] for element in certs.elements) == ["Merit", "Participation"]
    assert scenario.old_id not in certs.old.rows
    assert not scenario.chain.published.to("failed")
