"""How deep JSON of strangers may be, in events and in answers. See docs/architecture.md, "Clients"."""

from typing import Any

DEEPEST = 500
"""Levels of lists and objects within each other that are read. No document of the platform has fifty; Python's own
limits, from below a thousand to many thousands, differ from version to version and with the depth of the stack."""


def check_depth(text: str | bytes, value: Any) -> None:
    """Raise RecursionError for more than `DEEPEST` levels, as a decoder does where Python's limit is lower."""
    # Hardly any text has so many brackets; only what has is looked at, level by level.
    lists, objects = (
        (text.count("["), text.count("{")) if isinstance(text, str) else (text.count(b"["), text.count(b"{"))
    )
    if lists + objects <= DEEPEST:
        return
    level: list[Any] = [[value]]
    for _ in range(DEEPEST + 1):
        members = (node.values() if isinstance(node, dict) else node for node in level)
        level = [child for children in members for child in children if isinstance(child, (list, dict))]
        if not level:
            return
    raise RecursionError
