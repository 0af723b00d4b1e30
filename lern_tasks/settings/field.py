"""How a setting names the documented key, in all its spellings, that it replaces."""

import re
from typing import Any

from pydantic import AliasChoices, Field


def snake(key: str) -> str:
    """A documented key as part of an environment variable: `dedup-redis.host` is `dedup_redis_host`."""
    return re.sub(r"[^a-z0-9]+", "_", key.lower()).strip("_")


def documented(default: Any, *keys: str, note: str, name: str = "") -> Any:
    """A field that stands for the documented `keys`; every spelling is accepted, the first is the one we print.

    `name`: what the variable is called where the key itself would be long; it is accepted beside the keys.

    A list or a map is given as JSON.
    """
    names = [*([name] if name else []), *(snake(key) for key in keys)]
    return Field(
        default,
        validation_alias=AliasChoices(*dict.fromkeys(names)),
        description=note,
        json_schema_extra={"documented": list(keys)},
    )


def ours(default: Any, *, note: str) -> Any:
    """A field that no document of the Flink jobs has."""
    return Field(default, description=note, json_schema_extra={"documented": []})
