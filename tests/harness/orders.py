"""The ways in which events arrive: in any order, some twice, alone or packed."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def deliveries(events: st.SearchStrategy[list[T]]) -> st.SearchStrategy[list[list[T]]]:
    """Messages: some of the events twice, in any order, cut into messages of any size."""
    return events.flatmap(_doubled).flatmap(st.permutations).flatmap(packed)


def packed(events: Sequence[T]) -> st.SearchStrategy[list[list[T]]]:
    """The events in their order, cut into messages of any size."""
    sizes = st.lists(st.integers(1, max(1, len(events))), min_size=len(events), max_size=len(events))
    return sizes.map(lambda found: _cut(events, found))


def _doubled(events: list[T]) -> st.SearchStrategy[list[T]]:
    return st.lists(st.sampled_from(events), max_size=4).map(lambda more: events + more)


def _cut(events: Sequence[T], sizes: Sequence[int]) -> list[list[T]]:
    left, found = list(events), []
    for size in sizes:
        if left:
            found.append(left[:size])
            left = left[size:]
    return found
