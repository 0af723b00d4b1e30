"""A process that dies between any two effects leaves one certificate, one document and one element a name."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from tests.harness.without_registry import JOB, Documents, Make

Run = Callable[..., list[str]]

EFFECTS = 19
EFFECTS_OF_REISSUE = 12
"""How many effects the runs below have until the message is acknowledged: one death before each of them.

What follows is the same as with the registry; see test_deaths.
"""


def certify(certs: Documents, *deaths: int) -> list[str]:
    """Two certificates in one message, one of them for the second time."""
    events = [certs.event("Merit"), certs.event("Participation"), certs.event("merit")]
    certs.chain.send(JOB, *(certs.chain.record(event) for event in events))
    return certs.chain.drain(*deaths)


def replace(certs: Documents, *deaths: int) -> list[str]:
    """A re-issue."""
    certs.chain.send(JOB, certs.chain.record(certs.event("Merit")))
    certs.chain.drain()
    certs.chain.send(JOB, certs.chain.record(certs.event("Merit", oldId=certs.elements[0]["identifier"])))
    return certs.chain.drain(*deaths)


def state(certs: Documents) -> dict[str, Any]:
    """All that may not depend on deaths; the template's address, which is the test's own, is in none of it."""
    elements = sorted((entry["name"], entry["identifier"], entry["token"]) for entry in certs.elements)
    return {
        "elements": elements,
        "rows": {identifier: row["accesscode"] for identifier, row in certs.old.rows.items()},
        "documents": certs.files,
        "audits": sorted({event["mid"] for event in certs.chain.events("telemetry.raw")}),
        "dead": certs.chain.published.to("failed"),
    }


def is_one_each(certs: Documents) -> bool:
    """Row, registry and documents name the same certificates."""
    codes = {element["identifier"]: element["token"] for element in certs.elements}
    names = [element["name"].lower() for element in certs.elements]
    rows = {identifier: row["accesscode"] for identifier, row in certs.old.rows.items()}
    return rows == codes and len(names) == len(set(names)) and {f"b1/{each}.json" for each in codes} <= set(certs.files)


def undisturbed(run: Run, make_documents: Make) -> dict[str, Any]:
    """What a run without deaths leaves, computed once."""
    if run not in _UNDISTURBED:
        certs = make_documents()
        run(certs)
        assert is_one_each(certs)
        _UNDISTURBED[run] = state(certs)
    return _UNDISTURBED[run]


_UNDISTURBED: dict[Run, dict[str, Any]] = {}


def test_a_run_without_deaths_has_these_effects(make_documents: Make) -> None:
    certs = make_documents()
    assert certify(certs).index("acknowledge") + 1 == EFFECTS
    assert len(certs.files) == len(certs.elements) == 2
    assert replace(make_documents()).index("acknowledge") + 1 == EFFECTS_OF_REISSUE


@pytest.mark.parametrize("death", range(1, EFFECTS + 1))
def test_certificates_after_a_death(make_documents: Make, death: int) -> None:
    certs = make_documents()
    certify(certs, death)
    assert state(certs) == undisturbed(certify, make_documents)
    assert is_one_each(certs)
    assert len(certs.chain.platform.requests_to("POST", "/feed/v1/create")) <= 2


@pytest.mark.parametrize("death", range(1, EFFECTS_OF_REISSUE + 1))
def test_a_reissue_after_a_death(make_documents: Make, death: int) -> None:
    certs = make_documents()
    replace(certs, death)
    assert state(certs) == undisturbed(replace, make_documents)
    assert is_one_each(certs)


REQUESTS: Sequence[str] = ("first", "first", "other", "re-issue", "re-issue")


@pytest.mark.slow
@hypothesis(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(REQUESTS), deaths=st.lists(st.integers(1, 40), max_size=2))
def test_any_order_with_deaths(make_documents: Make, order: list[str], deaths: list[int]) -> None:
    certs = make_documents()
    certs.run(certs.event("Merit"))
    old_id = certs.elements[0]["identifier"]
    events = {
        "first": certs.event("merit"),
        "other": certs.event("Participation"),
        "re-issue": certs.event("Merit", oldId=old_id),
    }
    for name in order:
        certs.chain.send(JOB, certs.chain.record(events[name]))
    certs.chain.drain(*deaths)
    assert is_one_each(certs)
    assert sorted(element["name"] for element in certs.elements) == ["Merit", "Participation"]
    assert old_id not in certs.old.rows
    assert not certs.chain.published.to("failed")
