"""From the user service's answer to fields of the user cache. See docs/jobs/user_cache_updater.md, "Values"."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lern_tasks.jobs.users.rules.framework import dynamic_fields, legacy_fields
from lern_tasks.jobs.users.rules.text import stored, whole
from lern_tasks.jobs.users.rules.user_types import type_fields

_ALWAYS: Final = {
    "firstname": "firstName",
    "lastname": "lastName",
    "email": "encEmail",
    "phone": "encPhone",
    "rootorgid": "rootOrgId",
    "language": "language",
}


def profile_fields(
    user_id: str, user: Mapping[str, Any], *, legacy: bool = True, categories: Iterable[str] | None = None
) -> dict[str, str]:
    """The fields that `user`, the service's `result.response`, gives.

    `legacy`: the five framework fields of fixed name; `categories`: those of the user's framework, None for no dynamic
    fields. A field that the profile says nothing of is absent when it may be removed, else empty.
    """
    org = user.get("rootOrg")
    return {
        **location_fields(user.get("userLocations")),
        **type_fields(user.get("profileUserTypes")),
        **(legacy_fields(user.get("framework")) if legacy else {}),
        **(dynamic_fields(user.get("framework"), categories) if categories is not None else {}),
        **_status(user.get("status")),
        # Last: the type of a location is free text, and shall not stand for one of these.
        **{field: stored(user.get(name)) for field, name in _ALWAYS.items()},
        "orgname": stored(org.get("orgName") if isinstance(org, dict) else None),
        "userid": stored(user.get("userId") or user_id),
    }


def location_fields(locations: Any) -> dict[str, str]:
    """A field for each location by its type in lower case, two for the school; one without type is passed over."""
    fields: dict[str, str] = {}
    for location in locations if isinstance(locations, list) else []:
        kind = location.get("type") if isinstance(location, dict) else None
        name = whole(kind).strip().lower() if isinstance(kind, str) else ""
        if name == "school":
            fields["schoolname"] = stored(location.get("name"))
            fields["schooludisecode"] = stored(location.get("code"))
        elif name:
            fields[name] = stored(location.get("name"))
    return fields


def _status(value: Any) -> dict[str, str]:
    """The account's status as a whole number in text; none when the service does not say."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return {}
    return {"status": str(int(value))}
