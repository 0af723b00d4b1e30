"""Each documented variable is changed, and its effect observed."""

from collections.abc import Iterator

import pytest

from tests.variables.case import Case
from tests.variables.tables import CASES
from tests.variables.theatre import Theatre


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with Theatre(tmp_path_factory.mktemp("stages")) as theatre:
        yield theatre


@pytest.mark.parametrize("case", CASES, ids=[f"{case.scope}-{case.key}" for case in CASES])
def test_a_variable_has_its_effect(theatre: Theatre, case: Case) -> None:
    assert case.look(theatre.changed(case)) == case.seen
    assert case.look(theatre.usual(case)) != case.seen
