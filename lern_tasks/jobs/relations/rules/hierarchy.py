"""From the tree of a published collection to its relations. See docs/jobs/relation_cache_updater.md, section "Rules".

The tree is walked once, without recursion, into a list of nodes in the order of a reader going from the top (parents
before children); each relation is then one pass over that list.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.relations.rules.node import (
    children_of,
    identifier_of,
    is_collection,
    is_optional,
    leaf_nodes_of,
    visible_as,
)

# Editors allow fewer than ten levels. The bound keeps a damaged tree from costing quadratic time and memory, and ends
# the walk of a tree that contains itself.
MAX_DEPTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """What the relation cache holds of one root; a collection or content without members has no entry.

    `leaf_nodes` and `optional_nodes` are by collection id, `ancestors` by content id (they include the root),
    `units` holds the node, whole subtree included, by unit id.
    """

    leaf_nodes: Mapping[str, frozenset[str]]
    optional_nodes: Mapping[str, frozenset[str]]
    ancestors: Mapping[str, frozenset[str]]
    units: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True, kw_only=True, eq=False)
class _Visit:
    """A node at its place in the tree. `reached` says that everything above it is a collection."""

    node: Mapping[str, Any]
    identifier: str
    collection: bool
    reached: bool
    optional: bool
    depth: int
    parent: "_Visit | None"
    children: Sequence[Mapping[str, Any]]
    composed: set[str] = field(default_factory=set)
    optional_below: set[str] = field(default_factory=set)


def derive(root_id: str, tree: Mapping[str, Any]) -> Relations:
    """Derive the relations of `root_id` (the event's id, which stands for the tree's own) from its hierarchy.

    A root that is no collection has none. Raises InvalidEvent, naming node and field, for a tree of unexpected shape.
    """
    visits = list(_walk(root_id, tree))
    collections = [visit for visit in visits if visit.collection and visit.reached]
    _compose_leaf_nodes(visits)
    _collect_optional_nodes(visits)
    # Where an id occurs twice, the later place in the tree counts, unless it has nothing to say.
    return Relations(
        leaf_nodes={
            visit.identifier: leaves for visit in collections if visit.identifier and (leaves := _leaves(visit))
        },
        optional_nodes={
            visit.identifier: frozenset(visit.optional_below)
            for visit in collections
            if visit.identifier and visit.optional_below
        },
        ancestors=_ancestors(visits),
        units={
            visit.identifier: visit.node
            for visit in collections
            if visit.identifier and visit.children and visible_as(visit.node, "parent")
        },
    )


def _walk(root_id: str, tree: Mapping[str, Any]) -> Iterator[_Visit]:
    root = _visit(tree, root_id, None)
    waiting = [root] if root.collection else []
    while waiting:
        visit = waiting.pop()
        if visit.depth > MAX_DEPTH:
            raise InvalidEvent(
                f"the hierarchy of {root_id} has more than {MAX_DEPTH} levels; publish the collection again", "children"
            )
        yield visit
        waiting.extend(_visit(child, identifier_of(child), visit) for child in reversed(visit.children))


def _visit(node: Mapping[str, Any], identifier: str, parent: _Visit | None) -> _Visit:
    return _Visit(
        node=node,
        identifier=identifier,
        collection=is_collection(node),
        reached=parent is None or (parent.reached and parent.collection),
        optional=parent is not None and is_optional(node),
        depth=parent.depth + 1 if parent else 1,
        parent=parent,
        children=children_of(node),
    )


def _compose_leaf_nodes(visits: Sequence[_Visit]) -> None:
    """Gather the contents below each collection, from the bottom up."""
    for visit in reversed(visits):
        if visit.parent is None:
            continue
        if visit.collection:
            visit.parent.composed |= visit.composed
        elif visit.identifier:
            visit.parent.composed.add(visit.identifier)


def _leaves(visit: _Visit) -> frozenset[str]:
    """The node's own `leafNodes` where it has any, else what the tree below it holds."""
    return leaf_nodes_of(visit.node) or frozenset(visit.composed)


def _collect_optional_nodes(visits: Sequence[_Visit]) -> None:
    """Tell every node above of an optional one, up to the first that is optional itself: it hides what is below it."""
    for visit in visits:
        if not visit.optional or not visit.identifier:
            continue
        above = visit.parent
        while above is not None:
            above.optional_below.add(visit.identifier)
            above = None if above.optional else above.parent


def _ancestors(visits: Sequence[_Visit]) -> Mapping[str, frozenset[str]]:
    above: dict[str, set[str]] = {}
    for visit in visits:
        if visit.collection or not visit.reached or not visit.identifier:
            continue
        holders = above.setdefault(visit.identifier, set())
        parent = visit.parent
        while parent is not None:
            if parent.identifier:
                holders.add(parent.identifier)
            parent = parent.parent
    return {content_id: frozenset(holders) for content_id, holders in above.items()}
