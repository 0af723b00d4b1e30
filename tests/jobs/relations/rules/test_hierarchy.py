"""The relations of a published collection: the documented example and what differs from it."""

from collections.abc import Mapping
from typing import Any

import pytest

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.relations.rules.hierarchy import MAX_DEPTH, Relations, derive
from tests.jobs.relations.rules.trees import Tree, content, course, documented_course, optional, unit


def plain(sets: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Sets by id as `id: members in order`, short to write and to read in a failure."""
    return {key: " ".join(sorted(members)) for key, members in sets.items()}


def derived(tree: Tree) -> Relations:
    return derive("do_c1", tree)


def test_the_documented_example() -> None:
    tree = documented_course()
    relations = derived(tree)
    assert plain(relations.leaf_nodes) == {"do_c1": "r1 r2 r3 r4", "un1": "r1 r2", "un2": "r2 r3 r4", "sb1": "r3"}
    assert plain(relations.optional_nodes) == {"do_c1": "r2 r4", "un1": "r2", "un2": "r4"}
    assert plain(relations.ancestors) == {
        "r1": "do_c1 un1",
        "r2": "do_c1 un1 un2",
        "r3": "do_c1 sb1 un2",
        "r4": "do_c1 un2",
    }
    un1, un2 = tree["children"]
    assert relations.units == {"un1": un1, "un2": un2, "sb1": un2["children"][1]}


def test_the_tree_is_left_as_it_was() -> None:
    tree = documented_course()
    derived(tree)
    assert tree == documented_course()


def test_the_id_of_the_event_stands_for_the_roots_own() -> None:
    tree = documented_course() | {"identifier": "do_other"}
    relations = derived(tree)
    assert "do_c1" in relations.leaf_nodes
    assert plain(relations.ancestors)["r1"] == "do_c1 un1"


@pytest.mark.parametrize(
    ("node", "leaves"),
    [
        pytest.param(unit("un1", content("r1"), leafNodes=["r9"]), {"un1": "r9"}, id="own field is taken as it is"),
        pytest.param(unit("un1", content("r1"), leafNodes=[]), {"un1": "r1"}, id="empty field: from the tree"),
        pytest.param(unit("un1", content("r1"), leafNodes=None), {"un1": "r1"}, id="null field: from the tree"),
        pytest.param(unit("un1", content("r1"), leafNodes=["", "r2"]), {"un1": "r2"}, id="blank leaf"),
        pytest.param(unit("un1", content("r1"), leafNodes=[" "]), {"un1": "r1"}, id="blank leaves only"),
        pytest.param(unit("un1"), {}, id="no children"),
        pytest.param(unit("un1", leafNodes=[]), {}, id="nothing at all"),
        pytest.param(unit("un1") | {"children": None}, {}, id="children null"),
        pytest.param(
            unit("un1", unit("sb1", content("r1"), leafNodes=["r8"])),
            {"un1": "r1", "sb1": "r8"},
            id="only the own field",
        ),
        pytest.param(
            unit("un1", content("r1", children=[content("q1"), unit("sb1", content("q2"))])),
            {"un1": "r1"},
            id="not below a content",
        ),
        pytest.param(unit("un1", content(None), content(" "), content("r1")), {"un1": "r1"}, id="contents without id"),
        pytest.param(unit(None, content("r1")), {}, id="collection without id"),
        pytest.param(unit("  ", content("r1")), {}, id="collection with blank id"),
        pytest.param(
            unit("un1", content("r1")) | {"mimeType": "Application/VND.ekstep.Content-Collection"},
            {"un1": "r1"},
            id="mime type in any case",
        ),
    ],
)
def test_leaf_nodes_of_a_unit(node: Tree, leaves: dict[str, str]) -> None:
    found = plain(derived(course(node, leafNodes=["r1"])).leaf_nodes)
    assert found == {"do_c1": "r1", **leaves}


def test_a_root_without_leaf_nodes_is_composed_from_the_whole_tree() -> None:
    tree = course(unit(None, content("r1")), unit("un2", unit("sb1", content("r2")), leafNodes=["r9"]), content("r3"))
    assert plain(derived(tree).leaf_nodes)["do_c1"] == "r1 r2 r3"


@pytest.mark.parametrize("kept", [unit("un1", content("r2")), unit("un1", content("r2"), leafNodes=["r2"])])
def test_of_an_id_that_occurs_twice_the_later_place_counts(kept: Tree) -> None:
    tree = course(unit("un1", content("r1")), kept)
    assert plain(derived(tree).leaf_nodes)["un1"] == "r2"


def test_of_an_id_that_occurs_twice_a_later_empty_place_does_not_count() -> None:
    assert plain(derived(course(unit("un1", content("r1")), unit("un1"))).leaf_nodes)["un1"] == "r1"


def test_a_child_with_the_id_of_its_parent_wins() -> None:
    relations = derived(course(unit("un1", content("r1"), unit("un1", content("r2")))))
    assert plain(relations.leaf_nodes) == {"do_c1": "r1 r2", "un1": "r2"}
    assert plain(relations.ancestors) == {"r1": "do_c1 un1", "r2": "do_c1 un1"}


@pytest.mark.parametrize(
    "metadata",
    [optional(), optional("true"), optional("True"), optional("TRUE"), '{"optional": true}', '{"optional": "True"}'],
)
def test_optional(metadata: Any) -> None:
    assert plain(derived(course(content("r1", relationalMetadata=metadata))).optional_nodes) == {"do_c1": "r1"}


@pytest.mark.parametrize(
    "metadata",
    [
        optional(False),
        optional("no"),
        optional(1),
        optional(None),
        optional([True]),
        {},
        None,
        "",
        "optional",
        '["optional"]',
        '{"optional": false}',
        '{"optional": ',
        "[" * 100_000,
    ],
    ids=lambda metadata: repr(metadata)[:24],
)
def test_not_optional(metadata: Any) -> None:
    assert derived(course(content("r1", relationalMetadata=metadata))).optional_nodes == {}


def test_an_optional_unit_is_named_itself_and_hides_what_is_below_it() -> None:
    tree = documented_course()
    tree["children"][1]["relationalMetadata"] = optional()
    assert plain(derived(tree).optional_nodes) == {"do_c1": "r2 un2", "un1": "r2", "un2": "r4"}


def test_an_optional_unit_without_id_hides_what_is_below_it() -> None:
    tree = course(unit(None, content("r1", relationalMetadata=optional()), relationalMetadata=optional()))
    assert derived(tree).optional_nodes == {}


def test_optional_parts_of_a_content_count_for_the_collections_above() -> None:
    question = content("q1", relationalMetadata=optional())
    tree = course(unit("un1", content("r1", children=[question])))
    assert plain(derived(tree).optional_nodes) == {"do_c1": "q1", "un1": "q1"}


def test_a_collection_below_a_content_has_no_entries() -> None:
    hidden = unit("sb1", content("q1", relationalMetadata=optional()))
    relations = derived(course(content("r1", children=[hidden])))
    assert plain(relations.leaf_nodes) == {"do_c1": "r1"}
    assert plain(relations.ancestors) == {"r1": "do_c1"}
    assert plain(relations.optional_nodes) == {"do_c1": "q1"}
    assert relations.units == {}


def test_the_root_is_not_optional_in_itself() -> None:
    tree = course(content("r1", relationalMetadata=optional()), relationalMetadata=optional())
    assert plain(derived(tree).optional_nodes) == {"do_c1": "r1"}


def test_a_linked_collection_is_no_unit_but_those_below_it_are() -> None:
    below = unit("sb1", content("r1"))
    relations = derived(course(unit("un1", below, visibility="Default")))
    assert relations.units == {"sb1": below}
    assert plain(relations.leaf_nodes) == {"do_c1": "r1", "un1": "r1", "sb1": "r1"}


@pytest.mark.parametrize(
    ("node", "found"),
    [
        (unit("un1", content("r1"), visibility="parent"), True),
        (unit("un1", content("r1"), visibility=None), False),
        (unit("un1"), False),
        (unit("", content("r1")), False),
        (content("un1", children=[content("r1")], visibility="Parent"), False),
    ],
)
def test_a_unit_is_a_collection_with_children_and_visibility_parent(node: Tree, found: bool) -> None:
    assert derived(course(node)).units == ({"un1": node} if found else {})


@pytest.mark.parametrize("mime_type", ["video/mp4", None, ""])
def test_a_root_that_is_no_collection_has_no_relations(mime_type: str | None) -> None:
    tree = documented_course() | {"mimeType": mime_type}
    assert derived(tree) == Relations(leaf_nodes={}, optional_nodes={}, ancestors={}, units={})


@pytest.mark.parametrize(
    ("node", "field"),
    [
        (unit("un1", leafNodes="r1"), "leafNodes"),
        (unit("un1", leafNodes=["r1", 5]), "leafNodes"),
        (unit("un1") | {"children": {"a": 1}}, "children"),
        (unit("un1") | {"children": [None]}, "children"),
        (unit("un1") | {"children": ["r1"]}, "children"),
        (content("un1") | {"identifier": 5}, "identifier"),
        (content("un1") | {"mimeType": ["x"]}, "mimeType"),
        (unit("un1", content("r1"), visibility=1), "visibility"),
        (content("un1", relationalMetadata=[]), "relationalMetadata"),
        (content("un1", relationalMetadata=True), "relationalMetadata"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(node: Tree, field: str) -> None:
    with pytest.raises(InvalidEvent, match=field) as caught:
        derived(course(node))
    assert caught.value.field == field


def nested(levels: int) -> Tree:
    tree: Tree = content("r1")
    for level in range(levels):
        tree = unit(f"un{level}", tree)
    return tree


def test_a_deep_tree_is_read() -> None:
    # The content and the root are levels as well.
    assert len(derived(course(nested(MAX_DEPTH - 2))).ancestors["r1"]) == MAX_DEPTH - 1


@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, 20_000])
def test_too_deep_a_tree_is_refused(levels: int) -> None:
    with pytest.raises(InvalidEvent, match="levels"):
        derived(course(nested(levels)))


def test_a_tree_that_contains_itself_is_refused() -> None:
    tree = course(content("r1"))
    tree["children"] += [tree, tree]
    with pytest.raises(InvalidEvent, match="levels"):
        derived(tree)


def test_a_broad_tree_is_read() -> None:
    contents = [content(f"r{number}", relationalMetadata=optional()) for number in range(20_000)]
    relations = derived(course(unit("un1", *contents)))
    assert len(relations.leaf_nodes["do_c1"]) == len(relations.optional_nodes["un1"]) == 20_000
