"""The relations against a second, recursive reading of the rules, on random trees."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lern_tasks.jobs.relations.rules.hierarchy import derive
from tests.jobs.relations.rules.trees import COLLECTION, Tree

IDS = st.sampled_from(["do_c1", "a", "b", "c", "d", "e", "", None])
SETS = dict[str, frozenset[str]]


def nodes(children: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.fixed_dictionaries(
        {
            "identifier": IDS,
            "mimeType": st.sampled_from([COLLECTION, COLLECTION, "video/mp4"]),
            "children": st.lists(children, min_size=1, max_size=4),
            "relationalMetadata": st.sampled_from([None, {"optional": True}]),
        },
        optional={
            "leafNodes": st.lists(st.sampled_from(["a", "b", "x"]), max_size=2) | st.none(),
            "visibility": st.sampled_from(["Parent", "Default"]),
        },
    )


TREES: st.SearchStrategy[Tree] = st.recursive(
    st.builds(dict, identifier=IDS, mimeType=st.just("video/mp4")), nodes, max_leaves=25
)


def is_collection(node: Tree) -> bool:
    return bool(node["mimeType"] == COLLECTION)


def children(node: Tree) -> list[Tree]:
    return node.get("children") or []


def is_optional(node: Tree) -> bool:
    return (node.get("relationalMetadata") or {}).get("optional") is True


def named(node: Tree) -> frozenset[str]:
    return frozenset({node["identifier"]} if node["identifier"] else ())


def composed(node: Tree) -> frozenset[str]:
    parts = (composed(child) if is_collection(child) else named(child) for child in children(node))
    return frozenset().union(*parts)


def optional_below(node: Tree) -> frozenset[str]:
    parts = (named(child) if is_optional(child) else optional_below(child) for child in children(node))
    return frozenset().union(*parts)


def collections(node: Tree) -> Iterator[Tree]:
    yield node
    for child in children(node):
        if is_collection(child):
            yield from collections(child)


def ancestors(node: Tree, above: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for child in children(node):
        if is_collection(child):
            yield from ancestors(child, above | named(child))
        elif child["identifier"]:
            yield child["identifier"], above


@given(tree=TREES)
@settings(max_examples=200)
def test_relations_are_those_of_the_recursive_rules(tree: Tree) -> None:
    root = {**tree, "identifier": "do_root", "mimeType": COLLECTION}
    leaves: SETS = {}
    optional: SETS = {}
    units: dict[str, Any] = {}
    for node in collections(root):
        if not node["identifier"]:
            continue
        if own := frozenset(node.get("leafNodes") or ()) or composed(node):
            leaves[node["identifier"]] = own
        if below := optional_below(node):
            optional[node["identifier"]] = below
        if node.get("visibility") == "Parent" and children(node):
            units[node["identifier"]] = node
    above: SETS = {}
    for content_id, holders in ancestors(root, frozenset({"do_root"})):
        above[content_id] = above.get(content_id, frozenset()) | holders
    relations = derive("do_root", root)
    assert relations.leaf_nodes == leaves
    assert relations.optional_nodes == optional
    assert relations.ancestors == above
    assert relations.units == units
