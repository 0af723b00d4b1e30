"""A process that dies between any two effects of attempts: in the end everything is as if it had not."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ASSESSMENTS
from tests.harness.assess_events import TS, answered, attempt, recompute
from tests.harness.attempts import FAILED, JOB, asked, score_row, store_figures
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain

KEYS = [EnrolmentKey(user_id=user, course_id="do_c1", batch_id="b1") for user in ("u1", "u2")]

EVENTS: list[dict[str, Any]] = [
    attempt(answered(score=1), ts=TS, key=KEYS[0]),
    attempt(answered(score=3), ts=TS + 2, key=KEYS[0]),
    attempt(answered(score=2), ts=TS + 1, key=KEYS[0]),
    attempt(answered(score=5), ts=TS, attempt_id="att-2", key=KEYS[0]),
    attempt(answered(score=4), ts=TS, key=KEYS[1]),
    recompute(key=KEYS[1]),
]

EFFECTS = 18
"""How many effects the run below has: one death before each of them."""


def run(chain: Chain, *deaths: int, backwards: bool = False) -> list[str]:
    """Two learners in one message: three versions of an attempt and another, and an attempt with a recomputation."""
    store_figures(chain, completedCount=7.0)
    chain.send(JOB, *(chain.record(event) for event in EVENTS))
    return chain.drain(*deaths, backwards=backwards)


def state(chain: Chain) -> dict[str, Any]:
    """All that may not depend on deaths; times are those of the test's clock, which retries move on."""
    rows = [row for key in KEYS for row in chain.rows(ASSESSMENTS, (key.user_id, key.course_id, key.batch_id))]
    scores = [score_row(chain, key) for key in KEYS]
    return {
        "attempts": [{n: v for n, v in row.items() if n not in ("created_on", "updated_on")} for row in rows],
        "scores": [(row["aggregates"], row["agg_details"], set(row["agg_last_updated"])) for row in scores],
        "asked": set(asked(chain)),
        "dead": chain.published.to(FAILED),
    }


EXPECTED_SCORES = [
    {"completedCount": 7.0, "score:r1": 5.0, "max_score:r1": 1.0, "attempts_count:r1": 2.0},
    {"score:r1": 4.0, "max_score:r1": 1.0, "attempts_count:r1": 1.0},
]


def check(chain: Chain) -> None:
    found = state(chain)
    assert [row["total_score"] for row in found["attempts"]] == [3.0, 5.0, 4.0]
    assert [len(row["question"]) for row in found["attempts"]] == [1, 1, 1]
    assert [figures for figures, _, _ in found["scores"]] == EXPECTED_SCORES
    assert [len(details) for _, details, _ in found["scores"]] == [2, 1]
    assert all(set(figures) == names for figures, _, names in found["scores"])
    assert found["asked"] == {("u1", "att-1"), ("u2", "att-1")}
    assert not found["dead"]


def test_a_run_without_deaths_has_these_effects(make_chain: MakeChain) -> None:
    chain = make_chain()
    effects = run(chain)
    check(chain)
    assert len(effects) == EFFECTS
    assert effects.index("write assessment_aggregator") < effects.index("write user_activity_agg")
    assert effects.index("release locks") < effects.index("RecordingSender.send")


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("death", range(1, EFFECTS + 1))
def test_scores_after_a_death(make_chain: MakeChain, death: int, backwards: bool) -> None:
    chain = make_chain()
    effects = run(chain, death, backwards=backwards)
    check(chain)
    # A certificate is asked for after the last change.
    sends = [index for index, name in enumerate(effects) if name == "RecordingSender.send"]
    assert max(sends) > max(index for index, name in enumerate(effects) if name == "write user_activity_agg")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deaths=st.lists(st.integers(1, 40), max_size=3))
def test_scores_after_several_deaths(make_chain: MakeChain, deaths: list[int]) -> None:
    chain = make_chain()
    run(chain, *deaths)
    check(chain)
