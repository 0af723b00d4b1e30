"""Hierarchies for the tests: short builders and the documented example."""

from typing import Any

Tree = dict[str, Any]

COLLECTION = "application/vnd.ekstep.content-collection"


def content(identifier: str | None, **fields: Any) -> Tree:
    """A content: a node of any other mime type."""
    return {"identifier": identifier, "mimeType": "video/mp4", **fields}


def unit(identifier: str | None, *children: Tree, **fields: Any) -> Tree:
    """A collection with visibility Parent."""
    return {
        "identifier": identifier,
        "mimeType": COLLECTION,
        "visibility": "Parent",
        "children": list(children),
        **fields,
    }


def course(*children: Tree, **fields: Any) -> Tree:
    """The root do_c1."""
    return unit("do_c1", *children, visibility="Default", **fields)


def optional(value: Any = True) -> Tree:
    """The metadata of a node in its parent."""
    return {"optional": value}


def documented_course() -> Tree:
    """The worked example of docs/jobs/relation_cache_updater.md."""
    return course(
        unit("un1", content("r1"), content("r2", relationalMetadata=optional())),
        unit(
            "un2",
            content("r2"),
            unit("sb1", content("r3")),
            content("r4", relationalMetadata=optional("True")),
            leafNodes=["r2", "r3", "r4"],
        ),
        leafNodes=["r1", "r2", "r3", "r4"],
    )
