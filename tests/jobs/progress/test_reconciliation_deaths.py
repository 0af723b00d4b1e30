"""A reconciliation that dies between any two effects: in the end everything is as if it had not."""

import pytest

from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.syncs import JOB, REQUIRED, store, sync
from tests.jobs.test_deaths import KEYS, prepare, state, undisturbed

EFFECTS = 24
"""How many effects the run below has: one death before each of them."""

WRITES = (3, 19)
"""Which of them write rows."""


def reconcile(chain: Chain, *deaths: int, backwards: bool = False) -> list[str]:
    """Two learners in one message: one has done all that is required and is asked for twice, the other a lesson."""
    prepare(chain)
    store(chain, REQUIRED, KEYS[0])
    store(chain, {"r3": 2}, KEYS[1])
    chain.send(JOB, *(chain.record(sync(key)) for key in (KEYS[0], KEYS[1], KEYS[0])))
    return chain.drain(*deaths, backwards=backwards)


def test_a_run_without_deaths(make_chain: MakeChain) -> None:
    chain = make_chain()
    assert len(reconcile(chain)) == EFFECTS
    found = state(chain)
    assert found["rows"]["u1"][0]["status"] == 2
    assert found["rows"]["u2"][0]["progress"] == 1
    assert found["asked"] == {"u1"}
    assert len(found["audits"]) == 1
    assert not found["markers"]


@pytest.mark.parametrize(
    ("death", "backwards"),
    [(death, False) for death in range(1, EFFECTS + 1)] + [(death, True) for death in range(*WRITES)],
)
def test_rows_after_a_death(make_chain: MakeChain, death: int, backwards: bool) -> None:
    chain = make_chain()
    effects = reconcile(chain, death, backwards=backwards)
    assert len(effects) > EFFECTS - 2
    assert state(chain) == undisturbed(reconcile, make_chain)


@pytest.mark.parametrize("death", range(WRITES[1] - 2, EFFECTS + 1))
def test_rows_after_a_death_where_completed_rows_are_written_again(make_chain: MakeChain, death: int) -> None:
    """Around the enrolment row and what follows it."""
    chain = make_chain(LERN_ENROLMENT_RECONCILIATION__ACTIVITY_FILTER_PROCESSED_ENROLMENTS="false")
    reconcile(chain, death)
    assert state(chain) == undisturbed(reconcile, make_chain)
