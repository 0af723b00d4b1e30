"""Merges in any order and beside other work: what a learner has done is never lost and never lowered."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lern_tasks.jobs.accounts.rules.merge import BatchKey
from lern_tasks.sunbird.tables import ACTIVITY_AGG, CONTENT_CONSUMPTION, ENROLMENTS
from tests.harness.fixtures import shared_chain
from tests.harness.in_process import Chain
from tests.harness.merges import (
    EARLY,
    JOB,
    LATE,
    SHARED,
    Meanwhile,
    enrolled,
    figured,
    key_of,
    merge,
    publish_courses,
    undone,
    used,
)
from tests.harness.scenario import finished

USERS = count()
OTHER = ("do_c2", "b2")
RULED = ("status", "progress", "viewcount", "completedcount", "last_access_time", "lastaccesstime")

rows = st.fixed_dictionaries(
    {"status": st.integers(1, 2)},
    optional={
        "progress": st.integers(0, 100),
        "viewcount": st.integers(0, 9),
        "completedcount": st.integers(0, 9),
        "last_access_time": st.sampled_from([EARLY, LATE]),
        "lastaccesstime": st.sampled_from(["2023-05-09 10:05:04:123+0000", "2023-05-09 12:05:04:123+0000"]),
    },
)
histories = st.fixed_dictionaries(
    {},
    optional={
        place: st.fixed_dictionaries(
            {"contents": st.dictionaries(st.sampled_from(["r1", "r2", "r3"]), rows, max_size=3)},
            optional={"completed": st.integers(0, 3), "enrolled": st.just(True)},
        )
        for place in (SHARED, OTHER)
    },
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with shared_chain(tmp_path_factory, LERN_TASKS__LOCK_WAIT="0") as chain:
        publish_courses(chain)
        yield chain


def stored(chain: Chain, user: str, history: dict[BatchKey, dict[str, Any]]) -> str:
    """Store an account."""
    for place, found in history.items():
        for content, row in found["contents"].items():
            used(chain, user, place, content, **row)
        if found.get("enrolled"):
            enrolled(chain, user, place, status=1)
        if "completed" in found:
            figured(chain, user, place, aggregates={"completedCount": found["completed"]})
    return user


def outcome(chain: Chain, user: str) -> dict[str, Any]:
    """What may not depend on the order: columns with a rule, counts, and where there is an enrolment."""
    contents = {
        (row["courseid"], row["contentid"]): {name: row[name] for name in RULED if name in row}
        for row in chain.rows(CONTENT_CONSUMPTION, (user,))
    }
    counts = {
        place: chain.row(ACTIVITY_AGG, ("Course", place[0], user, f"cb:{place[1]}")).get("aggregates")
        for place in (SHARED, OTHER)
    }
    return {
        "contents": contents,
        "counts": counts,
        "enrolments": {row["courseid"] for row in chain.rows(ENROLMENTS, (user,))},
    }


@settings(max_examples=20, deadline=None)
@given(
    sources=st.tuples(histories, histories),
    target=histories,
    again=st.lists(st.integers(0, 1), max_size=3),
)
def test_the_order_of_two_sources_does_not_matter(
    shared: Chain, sources: tuple[Any, Any], target: Any, again: list[int]
) -> None:
    number = next(USERS)
    found: list[dict[str, Any]] = []
    for order in ([0, 1], [1, 0, *again]):
        name = f"{number}-{len(found)}"
        olds = [stored(shared, f"old{side}-{name}", history) for side, history in enumerate(sources)]
        new = stored(shared, f"new-{name}", target)
        for side in order:
            assert shared.run(JOB, shared.record(merge(olds[side], new)))["done"] == 1
        found.append(outcome(shared, new))
    assert found[0] == found[1]


actions = st.one_of(
    st.tuples(st.just("watched"), st.sampled_from(["r1", "r2", "r3"]), rows),
    st.tuples(st.just("finished"), st.sampled_from(["r1", "r2", "r3"]), st.none()),
    st.tuples(st.just("merged"), st.none(), st.none()),
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(source=histories, target=histories, happens=st.lists(st.tuples(st.integers(2, 20), actions), max_size=3))
def test_whatever_happens_meanwhile_no_status_is_lowered_and_nothing_is_lost(
    shared: Chain, source: Any, target: Any, happens: list[tuple[int, Any]]
) -> None:
    """The learner goes on while a merge runs, and a second account is merged: before any of its effects."""
    number = next(USERS)
    chain, old, more, new = shared, f"old-{number}", f"more-{number}", f"new-{number}"
    stored(chain, old, source)
    stored(chain, more, {SHARED: {"contents": {"r2": {"status": 2, "progress": 30, "viewcount": 1}}}})
    stored(chain, new, target)
    least: dict[str, list[dict[str, Any]]] = {}
    for history in (source, target):
        for content, row in history.get(SHARED, {"contents": {}})["contents"].items():
            least.setdefault(content, []).append(row)

    def happen(kind: str, content: str, row: dict[str, Any]) -> None:
        if kind == "watched":
            least.setdefault(content, []).append(row)
            watch(chain, new, content, row)
        elif kind == "finished":
            chain.send("activity_aggregate_updater", chain.record(finished(key_of(SHARED, new), [content])))
            queued = list(chain.sender.to("activity_aggregate_updater"))[-1]
            chain.run("activity_aggregate_updater", *queued.records, tag=f"during-{number}")
        else:
            least.setdefault("r2", []).append({"status": 2, "progress": 30})
            chain.run(JOB, chain.record(merge(more, new)), tag=f"more-{number}-{chain.offset}")

    chain.new_ctx(Meanwhile(*(thing(at, partial(happen, *action)) for at, action in happens)))
    chain.run(JOB, chain.record(merge(old, new)), tag=f"tag-{number}")
    chain.drain()
    assert not undone(chain, old, new)
    assert not undone(chain, more, new)
    for content, found in least.items():
        row = chain.row(CONTENT_CONSUMPTION, (new, *SHARED, content))
        assert row["status"] == max(entry["status"] for entry in found)
        assert row.get("progress", 0) >= max(entry.get("progress", 0) for entry in found)


def thing(at: int, happens: Callable[[], None]) -> tuple[Callable[[str, int], bool], Callable[[], None]]:
    """Something that happens before the effect with this number, or the first one after it."""
    return lambda _, number: number >= at, happens


def watch(chain: Chain, user: str, content: str, row: dict[str, Any]) -> None:
    """The learner service: it reads the row and never lowers what it read."""
    there = chain.row(CONTENT_CONSUMPTION, (user, *SHARED, content))
    cells = {name: max(row[name], there.get(name, 0)) for name in ("status", "progress") if name in row}
    used(chain, user, SHARED, content, **cells)
