"""Metadata of contents and collections that other systems keep in Redis, read only.

See docs/jobs/collection_cert_pre_processor.md and docs/jobs/assessment_aggregator.md, "Rules".
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from lern_tasks.connections.redis import Client, translated
from lern_tasks.sunbird.numbers import number_of


class Metadata:
    """`contents` is the client of the content metadata (db 5), `collections` of the collection metadata (db 0)."""

    def __init__(self, contents: Client, collections: Client) -> None:
        self._contents = contents
        self._collections = collections

    def contents(self, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """The metadata of those contents that have any, names in lower case without underscores.

        Raises DependencyDown.
        """
        unique = list(dict.fromkeys(ids))
        if not unique:
            return {}
        with translated():
            found = self._contents.mget(unique)
        return {content: fields for content, text in zip(unique, found, strict=True) if (fields := _fields(text))}

    def question_counts(self, ids: Iterable[str]) -> dict[str, float]:
        """The `totalQuestions` of those contents whose metadata has one above 0. Raises DependencyDown."""
        counts = {content: number_of(fields.get("totalquestions")) for content, fields in self.contents(ids).items()}
        return {content: number for content, number in counts.items() if number is not None and number > 0}

    def collection(self, course_id: str) -> Mapping[str, Any]:
        """The metadata of a collection, empty when it has none. Raises DependencyDown."""
        with translated():
            return _fields(self._collections.get(course_id))


def _fields(text: str | None) -> dict[str, Any]:
    """A stored JSON object as the original's cache reader gives it; what is not one counts as no metadata."""
    if not text:
        return {}
    try:
        stored = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    if not isinstance(stored, dict):
        return {}
    return {name.lower().replace("_", ""): value for name, value in stored.items() if value != ""}
