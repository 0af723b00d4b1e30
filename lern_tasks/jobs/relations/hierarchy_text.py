"""The hierarchy that is stored as text for a published collection. See docs/jobs/relation_cache_updater.md, "Rules"."""

from typing import Any

from lern_tasks.sunbird.json_text import decode_object


def parse(text: str) -> dict[str, Any]:
    """Parse the text of `content_hierarchy.hierarchy`; an empty object is returned as such.

    The nodes are left as they are, since units are cached with all their fields; `rules.hierarchy` reads them. Raises
    InvalidEvent when the text is no JSON object or is nested too deeply to be read.
    """
    return decode_object(text, "the stored hierarchy")
