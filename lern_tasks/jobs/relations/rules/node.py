"""Reading one node of a stored hierarchy. See docs/jobs/relation_cache_updater.md, section "Rules".

A null field is an absent one. A field of the wrong type raises InvalidEvent that names node and field: such a tree is
not to be guessed at, as learners' completions follow from it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lern_tasks.errors import InvalidEvent

COLLECTION_MIME_TYPE = "application/vnd.ekstep.content-collection"


def identifier_of(node: Mapping[str, Any]) -> str:
    """The node's id; empty when it is absent or blank, which leaves the node without entries of its own."""
    identifier = _text(node, "identifier")
    return identifier if identifier.strip() else ""


def is_collection(node: Mapping[str, Any]) -> bool:
    """Whether the node is a collection; everything else is a content."""
    return _text(node, "mimeType").lower() == COLLECTION_MIME_TYPE


def visible_as(node: Mapping[str, Any], visibility: str) -> bool:
    """Whether the node has this visibility (given in lower case): `parent` for a unit of its course."""
    return _text(node, "visibility").lower() == visibility


def children_of(node: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The nodes directly below."""
    children = _list(node, "children")
    if not all(isinstance(child, Mapping) for child in children):
        raise _wrong(node, "children", "a list of objects")
    return children


def leaf_nodes_of(node: Mapping[str, Any]) -> frozenset[str]:
    """The ids in the node's own `leafNodes`; empty when it has none, blank ids left out."""
    leaves = _list(node, "leafNodes")
    if not all(isinstance(leaf, str) for leaf in leaves):
        raise _wrong(node, "leafNodes", "a list of texts")
    return frozenset(leaf for leaf in leaves if leaf.strip())


def is_optional(node: Mapping[str, Any]) -> bool:
    """Whether `relationalMetadata.optional` is true, or the text `true` in any case.

    Some stored trees hold the metadata as JSON text: it is parsed, and absent when it is no JSON object.
    """
    metadata = node.get("relationalMetadata")
    if isinstance(metadata, str):
        metadata = _parsed(metadata)
    if metadata is None:
        return False
    if not isinstance(metadata, Mapping):
        raise _wrong(node, "relationalMetadata", "an object")
    return str(metadata.get("optional")).lower() == "true"


def _parsed(text: str) -> Mapping[str, Any] | None:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _text(node: Mapping[str, Any], name: str) -> str:
    value = node.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(node, name, "text")
    return value


def _list(node: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = node.get(name)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise _wrong(node, name, "a list")
    return value


def _wrong(node: Mapping[str, Any], name: str, wanted: str) -> InvalidEvent:
    identifier = node.get("identifier")
    return InvalidEvent(
        f"{name} of the hierarchy's node {identifier!r} must be {wanted}; publish the collection again",
        name,
    )
