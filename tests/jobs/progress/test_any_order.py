"""Events of lessons in any order, doubled, alone or packed: the rows are the oracle's."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lern_tasks.sunbird.enrolment_key import EnrolmentKey
from lern_tasks.sunbird.tables import ACTIVITY_AGG, CONTENT_CONSUMPTION, ENROLMENTS
from tests.harness import orders
from tests.harness.course import consumed, enrol, learners, publish, rows_of
from tests.harness.fixtures import shared_chain
from tests.harness.in_process import Chain
from tests.harness.oracle import expected
from tests.harness.scenario import finished

REQUIRED = {"r1", "r2", "r3"}
USERS = count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with shared_chain(tmp_path_factory) as chain:
        publish(chain)
        yield chain


def deliveries() -> st.SearchStrategy[list[list[tuple[int, list[str]]]]]:
    """Messages, each a list of events: which of two learners, and what was completed. Required contents only.

    What is finished after the completion does not change a completed row, so optional contents would let the rows
    depend on the order.
    """
    event = st.tuples(st.integers(0, 1), st.lists(st.sampled_from(sorted(REQUIRED)), min_size=1, max_size=2))
    return orders.deliveries(st.lists(event, min_size=1, max_size=8))


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
    active = learners({key: contents for key, contents in zip(keys, done, strict=True) if contents})
    assert rows_of(shared, active) == expected(active)
    for key in (key for key, contents in zip(keys, done, strict=True) if not contents):
        place = (key.user_id, key.course_id, key.batch_id)
        row = shared.row(ENROLMENTS, place)
        assert (row["status"], row.keys() & {"progress", "contentstatus", "completedon"}) == (0, set())
        assert not shared.rows(CONTENT_CONSUMPTION, place)
        assert not shared.row(ACTIVITY_AGG, ("Course", "do_c1", key.user_id, "cb:b1"))
    mids = [
        event["mid"] for event in shared.events("telemetry.raw") if event["actor"]["id"] in {k.user_id for k in keys}
    ]
    assert len(mids) == len(set(mids)) == sum(2 * len(contents) + (contents >= REQUIRED) for contents in done)
