"""A process that dies between any two effects: in the end everything is as if it had not, and nothing is doubled."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ACTIVITY_AGG, CONTENT_CONSUMPTION, ENROLMENTS
from tests.harness.course import batch, consumed, enrol, publish
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.requests import generate
from tests.harness.scenario import finished

KEYS = [EnrolmentKey(user_id=user, course_id="do_c1", batch_id="b1") for user in ("u1", "u2")]

EFFECTS_OF_AGGREGATES = 38
EFFECTS_OF_CERTIFICATES = 35
"""How many effects each run below has: one death before each of them."""


def state(chain: Chain) -> dict[str, Any]:
    """All that may not depend on deaths. Times are those of the test's clock, which retries move on."""
    rows = {}
    for key in KEYS:
        row = chain.row(ENROLMENTS, (key.user_id, key.course_id, key.batch_id))
        certificates = row.pop("issued_certificates", [])
        rows[key.user_id] = (
            {name: value for name, value in row.items() if name not in ("datetime", "completedon")},
            "completedon" in row,
            sorted(element["name"] for element in certificates),
            chain.rows(CONTENT_CONSUMPTION, (key.user_id,)),
            [chain.row(ACTIVITY_AGG, ("Course", a, key.user_id, "cb:b1")).get("aggregates") for a in ("do_c1", "un1")],
        )
    dedup = chain.ctx.redis.client("dedup")
    return {
        "rows": rows,
        "markers": sorted(dedup.keys("*")),
        "audits": told(chain),
        "asked": {user for e in chain.sent_events("collection_cert_pre_processor") for user in e["edata"]["userIds"]},
        "dead": chain.published.to("failed"),
    }


def told(chain: Chain) -> list[str]:
    """Each audit event by what a consumer drops doubles by; certificates, whose ids are random, by their name."""
    labels = {stored.osid: stored.document["certificateLabel"] for stored in chain.registry.entities()}
    found = {
        f"{event['edata']['type']} {labels[event['object']['id']]}"
        if event["object"]["type"] == "Certificate"
        else event["mid"]
        for event in chain.events("telemetry.raw")
    }
    return sorted(found)


def prepare(chain: Chain, *names: str) -> None:
    publish(chain)
    for key in KEYS:
        enrol(chain, key)
        batch(chain, *names, key=key)
    consumed(chain, "r1", KEYS[1], status=1, viewcount=3, completedcount=0)


def aggregate(chain: Chain, *deaths: int, backwards: bool = False) -> list[str]:
    """Two learners in one message: one completes the course, the other a lesson that was begun."""
    prepare(chain)
    records = [finished(KEYS[0], ["r1", "r2"]), finished(KEYS[1], ["r1"]), finished(KEYS[0], ["r3"])]
    chain.send("activity_aggregate_updater", *(chain.record(event) for event in records))
    return chain.drain(*deaths, backwards=backwards)


def certify(chain: Chain, *deaths: int) -> list[str]:
    """Two certificates of one learner in one message, one of them for the second time."""
    prepare(chain)
    for key in KEYS:
        enrol(chain, key, status=2)
    events = [generate("Merit"), generate("Participation"), generate("merit")]
    chain.send("collection_certificate_generator", *(chain.record(event) for event in events))
    return chain.drain(*deaths)


def undisturbed(run: Callable[[Chain], object], make_chain: MakeChain) -> dict[str, Any]:
    """What a run without deaths leaves, computed once."""
    if run not in _UNDISTURBED:
        chain = make_chain()
        run(chain)
        _UNDISTURBED[run] = state(chain)
    return _UNDISTURBED[run]


_UNDISTURBED: dict[Callable[..., object], dict[str, Any]] = {}


def active(chain: Chain) -> Counter[tuple[str, str]]:
    """The active certificates, by learner and name."""
    made = [stored.document for stored in chain.registry.entities()]
    return Counter((document["recipient"]["id"], document["certificateLabel"].lower()) for document in made)


def test_a_run_without_deaths_has_these_effects(make_chain: MakeChain) -> None:
    assert len(aggregate(make_chain())) == EFFECTS_OF_AGGREGATES
    assert len(certify(make_chain())) == EFFECTS_OF_CERTIFICATES


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("death", range(1, EFFECTS_OF_AGGREGATES + 1))
def test_progress_after_a_death(make_chain: MakeChain, death: int, backwards: bool) -> None:
    chain = make_chain()
    effects = aggregate(chain, death, backwards=backwards)
    assert len(effects) > EFFECTS_OF_AGGREGATES - 2
    assert state(chain) == undisturbed(aggregate, make_chain)


@pytest.mark.parametrize("death", [17, 25, 26, 27, 35, 36, 37])
def test_progress_after_a_death_where_completed_rows_are_written_again(make_chain: MakeChain, death: int) -> None:
    """Around the enrolment row and the request for the certificate."""
    chain = make_chain(LERN_ACTIVITY_AGGREGATE_UPDATER__ACTIVITY_FILTER_PROCESSED_ENROLMENTS="false")
    aggregate(chain, death)
    assert state(chain) == undisturbed(aggregate, make_chain)


@pytest.mark.parametrize("death", range(1, EFFECTS_OF_CERTIFICATES + 1))
def test_certificates_after_a_death(make_chain: MakeChain, death: int) -> None:
    chain = make_chain()
    certify(chain, death)
    assert state(chain) == undisturbed(certify, make_chain)
    assert active(chain) == {("u1", "merit"): 1, ("u1", "participation"): 1}
    assert row_names_the_active_ones(chain)
    assert feeds(chain) <= Counter({"u1": 2})


def row_names_the_active_ones(chain: Chain) -> bool:
    made = {stored.osid for stored in chain.registry.entities()}
    elements = chain.row(ENROLMENTS, ("u1", "do_c1", "b1"))["issued_certificates"]
    return {element["identifier"] for element in elements} == made


def feeds(chain: Chain) -> Counter[str]:
    requests = chain.platform.requests_to("POST", "/feed/v1/create")
    return Counter(request.body["request"]["userId"] for request in requests)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deaths=st.lists(st.integers(1, 60), max_size=2))
def test_the_whole_chain_after_several_deaths(make_chain: MakeChain, deaths: list[int]) -> None:
    chain = make_chain()
    prepare(chain, "Merit")
    records = [finished(KEYS[0], ["r1", "r2"]), finished(KEYS[1], ["r1"]), finished(KEYS[0], ["r3"])]
    for event in records:
        chain.send("activity_aggregate_updater", chain.record(event))
    chain.drain(*deaths)
    found = state(chain)
    assert found["rows"]["u1"][0]["status"] == 2
    assert found["rows"]["u1"][2] == ["Merit"]
    assert [row["viewcount"] for row in found["rows"]["u1"][3]] == [1, 1, 1]
    assert [row["viewcount"] for row in found["rows"]["u2"][3]] == [4]
    assert len(found["audits"]) == 3 * 2 + 1 + 1 + 1
    assert not found["dead"]
    assert active(chain) == {("u1", "merit"): 1}
    assert row_names_the_active_ones(chain)
    assert feeds(chain) <= Counter({"u1": 1})
