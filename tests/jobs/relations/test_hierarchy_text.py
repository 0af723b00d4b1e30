"""The stored hierarchy of a published collection."""

import json

import pytest

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.relations import hierarchy_text
from lern_tasks.jobs.relations.rules.hierarchy import derive
from tests.jobs.relations.rules.trees import content, course, documented_course, optional, unit


def test_a_stored_hierarchy_is_parsed_as_it_is() -> None:
    tree = documented_course() | {"name": "कोर्स", "pkgVersion": 1.0, "unknown": {"a": [None]}}
    assert hierarchy_text.parse(json.dumps(tree, ensure_ascii=False)) == tree


def test_needless_backslashes_stand_for_the_character() -> None:
    assert hierarchy_text.parse(r'{"name": "a\d", "identifier": "do_c1"}') == {"name": "ad", "identifier": "do_c1"}


def test_an_empty_hierarchy_is_no_error_here() -> None:
    assert hierarchy_text.parse("{}") == {}


@pytest.mark.parametrize("text", ["", " ", "null", "[]", '"{}"', "{", '{"children": ' * 100_000, "<xml/>"])
def test_what_is_no_hierarchy_is_invalid(text: str) -> None:
    with pytest.raises(InvalidEvent, match="the stored hierarchy"):
        hierarchy_text.parse(text)


def test_nulls_and_metadata_as_text_are_understood_from_text_to_relations() -> None:
    tree = course(
        unit("un1", content("r1", relationalMetadata=json.dumps(optional())), leafNodes=None, relationalMetadata=None),
        content("r2", relationalMetadata="no json"),
        leafNodes=None,
    )
    relations = derive("do_c1", hierarchy_text.parse(json.dumps(tree)))
    assert relations.leaf_nodes == {"do_c1": {"r1", "r2"}, "un1": {"r1"}}
    assert relations.optional_nodes == {"do_c1": {"r1"}, "un1": {"r1"}}
    assert relations.units == {"un1": tree["children"][0]}
