"""What the bulk index writes into the user cache for one user. See docs/jobs/index_users.md, "Rules"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from lern_tasks.jobs.users.rules.framework import dynamic_fields
from lern_tasks.jobs.users.rules.text import escaped, stored
from lern_tasks.jobs.users.rules.user_types import type_fields

LOCATION_TYPES: Final = ("state", "district", "block", "cluster")
"""The types of location that reports show; their names are the fields."""

SCHOOL: Final = 2
"""`organisationtype` of a school."""

CATEGORIES: Final = {"medium": "medium", "subject": "subject", "grade": "gradeLevel"}
"""Fields that hold a list, and the framework category of each."""

FIRST_OF: Final = {"board": "board", "framework": "id"}
"""Fields that hold the first value of their category."""

USER_TYPES: Final = ("usertype", "usersubtype", "profileusertypes")

FIELDS: Final = frozenset(
    {
        *("firstname", "lastname", "email", "phone", "rootorgid", "orgname", "usersignintype"),
        *("schoolname", "schooludisecode"),
        *(*LOCATION_TYPES, *CATEGORIES, *FIRST_OF, *USER_TYPES),
    }
)
"""Every field of fixed name that the index writes; the other fields of a hash are the stream job's alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileLocation:
    """An entry of a profile's locations. Any part may be missing."""

    type: str | None
    id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A row of `user`. `locations` and `user_types` are None when their JSON cannot be read.

    An entry of `user_types` is an object with the names `type` and `subType`, or what stands there instead.
    """

    user_id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    root_org_id: str | None = None
    framework: Mapping[str, Sequence[str]] | None = None
    locations: Sequence[ProfileLocation] | None = ()
    user_types: list[Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """What is needed of an organisation."""

    name: str | None
    external_id: str | None
    type: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """What is needed of a location."""

    name: str | None
    type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileLookups:
    """The rows that a user's row points to, as far as they exist, and what belongs to the installation.

    `memberships` are the organisations that the user has not left. `custodian_id` is the organisation of those who
    signed up by themselves; `self_signed_in` and `validated` are what is stored for them and for everybody else.
    `legacy`: the framework fields of fixed name; `dynamic`: a field for each category of the user's framework.
    """

    memberships: Sequence[str]
    organisations: Mapping[str, Organisation]
    locations: Mapping[str, Location]
    custodian_id: str
    self_signed_in: str
    validated: str
    legacy: bool = True
    dynamic: bool = False


def wanted_organisations(user: UserRow, memberships: Iterable[str]) -> set[str]:
    """The organisations whose rows the fields of `user` need."""
    return {*memberships, *([user.root_org_id] if user.root_org_id else [])}


def wanted_locations(user: UserRow) -> set[str]:
    """The locations whose rows the fields of `user` need."""
    return {entry.id for entry in _first_locations(user).values() if entry.id}


def fields_of(user: UserRow, lookups: ProfileLookups) -> dict[str, str]:
    """The fields of the user's hash; what the rows do not say is left out."""
    found: dict[str, str | None] = {
        "firstname": user.first_name,
        "lastname": user.last_name,
        "email": user.email,
        "phone": user.phone,
        "rootorgid": user.root_org_id,
        "usersignintype": lookups.self_signed_in if user.root_org_id == lookups.custodian_id else lookups.validated,
        "orgname": _root_name(user, lookups),
        **_location_names(user, lookups),
        **_school(lookups),
    }
    texts = {field: escaped(text) for field, text in found.items() if text is not None}
    return {**texts, **_framework(user.framework or {}, lookups), **_user_types(user)}


def _root_name(user: UserRow, lookups: ProfileLookups) -> str | None:
    """The root organisation's name, for those who belong to any organisation."""
    root = lookups.organisations.get(user.root_org_id or "")
    return root.name if root is not None and lookups.memberships else None


def _first_locations(user: UserRow) -> dict[str, ProfileLocation]:
    """The first entry of each type, whether or not it leads to a location."""
    first: dict[str, ProfileLocation] = {}
    for entry in user.locations or ():
        first.setdefault((entry.type or "").lower(), entry)
    return {field: first[field] for field in LOCATION_TYPES if field in first}


def _location_names(user: UserRow, lookups: ProfileLookups) -> dict[str, str | None]:
    names: dict[str, str | None] = {}
    for field, entry in _first_locations(user).items():
        location = lookups.locations.get(entry.id or "")
        if location is not None and (location.type or "").lower() == field:
            names[field] = location.name
    return names


def _school(lookups: ProfileLookups) -> dict[str, str | None]:
    """The school with the lowest organisation id, so that a user with several has the same one in every run."""
    for organisation_id in sorted(lookups.memberships):
        found = lookups.organisations.get(organisation_id)
        if found is not None and found.type == SCHOOL:
            return {"schoolname": found.name, "schooludisecode": found.external_id}
    return {}


def _framework(framework: Mapping[str, Sequence[str]], lookups: ProfileLookups) -> dict[str, str]:
    found: dict[str, str] = {}
    if lookups.legacy:
        found |= {field: escaped(framework[name][0]) for field, name in FIRST_OF.items() if framework.get(name)}
        found |= _lists(framework)
    if lookups.dynamic:
        found |= dynamic_fields(framework, sorted(framework))
    return found


def _lists(framework: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {field: stored(list(framework[name])) for field, name in CATEGORIES.items() if name in framework}


def _user_types(user: UserRow) -> dict[str, str]:
    if user.user_types is None:
        return {}
    return type_fields(user.user_types) or dict.fromkeys(USER_TYPES, "")


def is_due(updated: str | None, since: date | None) -> bool:
    """Whether a run from the date `since` (UTC; None: all) takes a user: also one whose time of change is not known.

    `updated` is the row's `updateddate`, as `2024-05-01 10:00:00:000+0000`.
    """
    moment = _moment(updated or "") if since is not None else None
    return since is None or moment is None or moment.astimezone(UTC).date() >= since


def _moment(text: str) -> datetime | None:
    try:
        # ISO 8601 but for the colon before the milliseconds.
        moment = datetime.fromisoformat(f"{text[:19]}.{text[20:]}")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
