"""Values as the user cache holds them: text alone. See docs/jobs/user_cache_updater.md, "Values"."""

import json


def stored(value: object) -> str:
    r"""A value of the user service as the cache holds it.

    Text with its brackets escaped, `null` as empty text, everything else as JSON: readers take what begins with a
    bracket for JSON, so plain text must not.
    """
    if value is None:
        return ""
    return escaped(value) if isinstance(value, str) else json_text(value)


def escaped(text: str) -> str:
    r"""`[` as `\[` and `]` as `\]`."""
    return whole(text).replace("[", r"\[").replace("]", r"\]")


def json_text(value: object) -> str:
    """JSON without blanks and without nulls in lists; names sorted, so that the same value is always the same text."""
    return whole(json.dumps(_without_nulls(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True))


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items()}
    return [_without_nulls(one) for one in value if one is not None] if isinstance(value, list) else value


def whole(text: str) -> str:
    """`text` with half characters, which UTF-8 cannot hold, replaced."""
    return text.encode(errors="replace").decode()
