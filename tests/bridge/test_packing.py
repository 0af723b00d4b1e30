"""Packing: nothing lost, nothing reordered, limits kept, ids the same each time."""

from dataclasses import replace
from itertools import pairwise
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.packing import PolledRecord, pack
from tests.bridge.doubles import ROUTE, message, polled

MIB = 1_048_576


@st.composite
def polls(draw: st.DrawFn) -> list[PolledRecord]:
    """What a poll may return: several partitions interleaved, offsets rising in each, with gaps."""
    gaps = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(0, 40)), max_size=60))
    last: dict[int, int] = {}
    result = []
    for partition, gap, size in gaps:
        last[partition] = last.get(partition, -1) + gap
        result.append(polled(last[partition], partition=partition, value=b"x" * size))
    return result


@given(records=polls(), limit=st.integers(1, 10), max_bytes=st.integers(1, 100))
def test_unpacked_in_order_the_messages_are_the_poll(records: list[PolledRecord], limit: int, max_bytes: int) -> None:
    messages = pack(records, replace(ROUTE, records=limit), max_bytes=max_bytes)

    for partition in {one.partition for one in records}:
        packed = [one for message in messages if message.partition == partition for one in message.polled]
        assert packed == [one for one in records if one.partition == partition]


@given(records=polls(), limit=st.integers(1, 10), max_bytes=st.integers(1, 100))
def test_no_message_exceeds_its_limits(records: list[PolledRecord], limit: int, max_bytes: int) -> None:
    for packed in pack(records, replace(ROUTE, records=limit), max_bytes=max_bytes):
        assert 1 <= len(packed.polled) <= limit
        assert packed.size <= max_bytes or len(packed.polled) == 1
        assert {one.partition for one in packed.polled} == {packed.partition}


@given(records=polls(), limit=st.integers(1, 10), max_bytes=st.integers(1, 100))
def test_neighbours_are_packed_as_far_as_the_limits_allow(
    records: list[PolledRecord], limit: int, max_bytes: int
) -> None:
    messages = pack(records, replace(ROUTE, records=limit), max_bytes=max_bytes)

    for one, following in pairwise(messages):
        if one.partition == following.partition:
            assert len(one.polled) == limit or one.size + following.polled[0].size > max_bytes


@given(records=polls(), limit=st.integers(1, 10))
def test_ids_are_the_same_each_time_and_differ_between_messages(records: list[PolledRecord], limit: int) -> None:
    route = replace(ROUTE, records=limit)

    first = [one.task_id for one in pack(records, route, max_bytes=MIB)]

    assert first == [one.task_id for one in pack(records, route, max_bytes=MIB)]
    assert len(set(first)) == len(first)


def test_the_id_is_made_of_topic_partition_and_offsets() -> None:
    packed = message(polled(17, partition=3), polled(19, partition=3))

    assert UUID(packed.task_id) == uuid5(NAMESPACE_URL, "lern:t.coursebatch.job.request:3:17:19")


def test_strict_mode_makes_one_task_of_each_record() -> None:
    records = [polled(offset) for offset in range(5)]

    messages = pack(records, replace(ROUTE, records=1), max_bytes=MIB)

    assert [one.polled for one in messages] == [(record,) for record in records]


def test_a_lone_record_is_a_task_of_its_own() -> None:
    assert [one.polled for one in pack([polled(5)], ROUTE, max_bytes=MIB)] == [(polled(5),)]


def test_a_value_above_the_limit_travels_alone() -> None:
    records = [polled(0), polled(1, value=b"x" * 200), polled(2)]

    messages = pack(records, ROUTE, max_bytes=100)

    assert [[one.offset for one in message.polled] for message in messages] == [[0], [1], [2]]


def test_an_empty_poll_makes_no_message() -> None:
    assert pack([], ROUTE, max_bytes=MIB) == []


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "activity_aggregate_updater 1 record p0 @17-17"), (3, "activity_aggregate_updater 3 records p0 @17-19")],
)
def test_what_flower_shows_has_no_payload(count: int, text: str) -> None:
    records = [polled(17 + index, value=b'{"name": "Asha"}', key=b"Asha") for index in range(count)]

    assert message(*records).argsrepr == text


def test_singles_are_the_same_records() -> None:
    records = [polled(1), polled(2)]

    assert [single.polled for single in message(*records).singles()] == [(record,) for record in records]
