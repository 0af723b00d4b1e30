"""Events of lessons in any order, doubled, alone or packed: the rows are those of a model of a few lines."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lern_tasks.demo.platform.platform_api import PlatformApi
from lern_tasks.demo.platform.registry import Registry
from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ACTIVITY_AGG, CONTENT_CONSUMPTION, ENROLMENTS
from tests.harness.course import consumed, enrol, publish
from tests.harness.in_process import Chain
from tests.harness.scenario import finished

REQUIRED = {"r1", "r2", "r3"}
UNITS = {"un1": {"r1", "r2"}, "un2": {"r3"}}
USERS = count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """One environment for all examples: each has learners of its own."""
    with Registry() as registry, PlatformApi() as platform:
        chain = Chain(tmp_path_factory.mktemp("chain"), registry, platform)
        publish(chain)
        yield chain
        chain.close()


def deliveries() -> st.SearchStrategy[list[list[tuple[int, list[str]]]]]:
    """Messages, each a list of events: which of two learners, and what was completed. Required contents only.

    What is finished after the completion does not change a completed row, so optional contents would let the rows
    depend on the order.
    """
    event = st.tuples(st.integers(0, 1), st.lists(st.sampled_from(sorted(REQUIRED)), min_size=1, max_size=2))
    return st.lists(event, min_size=1, max_size=8).flatmap(shuffled)


def shuffled(events: list[tuple[int, list[str]]]) -> st.SearchStrategy[list[list[tuple[int, list[str]]]]]:
    """Some of the events twice, in any order, cut into messages of any size."""
    doubled = st.lists(st.sampled_from(events), max_size=4).map(lambda more: events + more)
    return doubled.flatmap(st.permutations).flatmap(cut)


def cut(events: list[tuple[int, list[str]]]) -> st.SearchStrategy[list[list[tuple[int, list[str]]]]]:
    sizes = st.lists(st.integers(1, len(events)), min_size=len(events), max_size=len(events))
    return sizes.map(lambda found: pieces(events, found))


def pieces(events: list[Any], sizes: list[int]) -> list[list[Any]]:
    left, found = list(events), []
    for size in sizes:
        if left:
            found.append(left[:size])
            left = left[size:]
    return found


def expected(done: set[str]) -> dict[str, Any]:
    """The rows of a learner who finished `done`, each once."""
    complete = done >= REQUIRED
    return {
        "status": 2 if complete else 1 if done else 0,
        "progress": len(done) if done else None,
        "contentstatus": dict.fromkeys(done, 2),
        "completed": complete,
        "counts": dict.fromkeys(done, (1, 1)),
        "aggregates": ({"do_c1": len(done)} if done else {})
        | {unit: len(contents & done) for unit, contents in UNITS.items() if contents & done},
    }


def found(chain: Chain, key: EnrolmentKey) -> dict[str, Any]:
    row = chain.row(ENROLMENTS, (key.user_id, key.course_id, key.batch_id))
    contents = chain.rows(CONTENT_CONSUMPTION, (key.user_id, key.course_id, key.batch_id))
    figures = {name: chain.row(ACTIVITY_AGG, ("Course", name, key.user_id, "cb:b1")) for name in ("do_c1", *UNITS)}
    return {
        "status": row["status"],
        "progress": row.get("progress"),
        "contentstatus": row.get("contentstatus", {}),
        "completed": "completedon" in row,
        "counts": {c["contentid"]: (c["viewcount"], c["completedcount"]) for c in contents if "viewcount" in c},
        "aggregates": {name: figure["aggregates"]["completedCount"] for name, figure in figures.items() if figure},
    }


@settings(max_examples=80, deadline=None)
@given(messages=deliveries(), again=st.sets(st.integers(0, 11)), stored=st.booleans())
def test_rows_do_not_depend_on_order_or_packing(
    shared: Chain, messages: list[list[tuple[int, list[str]]]], again: set[int], stored: bool
) -> None:
    number = next(USERS)
    keys = [EnrolmentKey(user_id=f"u{number}-{side}", course_id="do_c1", batch_id="b1") for side in (0, 1)]
    done: tuple[set[str], set[str]] = (set(), set())
    for key in keys:
        enrol(shared, key)
    for side, contents in (event for message in messages for event in message):
        done[side].update(contents)
    if stored:
        for side, key in enumerate(keys):
            for content in done[side]:
                consumed(shared, content, key, status=2)
    for index, message in enumerate(messages):
        records = [shared.record(finished(keys[side], contents)) for side, contents in message]
        for delivery in range(2 if index in again else 1):
            tag = f"{number}-{index}-{delivery}"
            counts = shared.run("activity_aggregate_updater", *records, tag=tag)
            assert counts["done"] + counts["skipped"] == len(records)
    assert [found(shared, key) for key in keys] == [expected(contents) for contents in done]
    mids = [
        event["mid"] for event in shared.events("telemetry.raw") if event["actor"]["id"] in {k.user_id for k in keys}
    ]
    assert len(mids) == len(set(mids)) == sum(2 * len(contents) + (contents >= REQUIRED) for contents in done)
