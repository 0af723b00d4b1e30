"""Each documented variable is changed, and its effect observed; those that have none leave everything as it is."""

from collections.abc import Iterator

import pytest

from tests.variables.case import Case, Idle, footprint
from tests.variables.environments import Theatre
from tests.variables.tables import CASES, NO_EFFECT


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with Theatre(tmp_path_factory.mktemp("stages")) as theatre:
        yield theatre


@pytest.mark.parametrize("case", CASES, ids=[f"{case.scope}-{case.key}" for case in CASES])
def test_a_variable_has_its_effect(theatre: Theatre, case: Case) -> None:
    assert case.look(theatre.changed(case)) == case.seen
    assert case.look(theatre.usual(case)) != case.seen


@pytest.mark.parametrize("idle", NO_EFFECT, ids=[f"{idle.scope}-{idle.key}" for idle in NO_EFFECT])
def test_a_variable_has_no_effect(theatre: Theatre, idle: Idle) -> None:
    assert footprint(theatre.changed(idle.case)) == footprint(theatre.usual(idle.case))
