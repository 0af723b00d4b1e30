"""The tables that the user cache is built from, page by page. See docs/jobs/index_users.md, "Rows"."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import msgspec

from lern_tasks.errors import RefusedByService
from lern_tasks.jobs.users.rules.index import Location, Organisation, ProfileLocation, UserRow, is_due
from lern_tasks.storage.gateway import Gateway, Row, value_of
from lern_tasks.storage.table import Table
from lern_tasks.sunbird.table_names import JobTables

A = TypeVar("A")
S = TypeVar("S")

_REMEMBERED = 100_000
"""Organisations, and locations, kept in the process: the schools of a large state, 40 MB at 400 bytes each."""

_CUSTODIAN = "custodianOrgId"

_USER = (
    "id",
    "userid",
    "firstname",
    "lastname",
    "email",
    "phone",
    "rootorgid",
    "framework",
    "updateddate",
    "profilelocation",
    "profileusertypes",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPage:
    """Some users. `after` and `done` are those of `gateway.Page`.

    `not_due` users were not asked for; `other_ids` have a row whose `id` is not their `userid`.
    """

    users: Sequence[UserRow]
    not_due: int
    other_ids: int
    after: str | None
    done: float


class UserRows:
    """Reads for one run: organisations and locations are remembered, so make a new one for the next run."""

    def __init__(self, gateway: Gateway, tables: JobTables) -> None:
        self._gateway = gateway
        self._tables = tables
        self._organisations: dict[str, Organisation] = {}
        self._locations: dict[str, Location] = {}

    def page(self, after: str | None, limit: int, since: date | None) -> UserPage:
        """The next users of the table that are due since a date; rows without `userid` are none. Raises LernError."""
        page = self._gateway.scan(self._tables.users, _USER, after=after, limit=limit)
        rows = [row for row in page.rows if row["userid"]]
        due = [row for row in rows if is_due(row["updateddate"], since)]
        return UserPage(
            users=[_user(row) for row in due],
            not_due=len(rows) - len(due),
            other_ids=sum(row["userid"] != row["id"] for row in rows),
            after=page.after,
            done=page.done,
        )

    def memberships(self, user_ids: Sequence[str]) -> dict[str, list[str]]:
        """The organisations that each user belongs to and has not left. Raises the first error."""
        found = self._gateway.select_many(
            self._tables.user_organisations, [(user,) for user in user_ids], ("organisationid", "isdeleted")
        )
        return {
            user: [row["organisationid"] for row in value_of(found[user,]) if not row["isdeleted"]] for user in user_ids
        }

    def organisations(self, ids: Iterable[str]) -> dict[str, Organisation]:
        """Those of the organisations that there are. Raises the first error."""
        return self._lookup(self._tables.organisations, ids, self._organisations, _organisation)

    def locations(self, ids: Iterable[str]) -> dict[str, Location]:
        """Those of the locations that there are. Raises the first error."""
        return self._lookup(self._tables.locations, ids, self._locations, _location)

    def custodian(self) -> str:
        """The organisation of those who signed up by themselves. Raises RefusedByService when there is none."""
        key = (_CUSTODIAN,)
        row = value_of(self._gateway.get_many(self._tables.system_settings, [key], ("value",))[key])
        if row is None or not row["value"]:
            table = self._tables.system_settings.full_name
            raise RefusedByService(
                f"{table} has no row {_CUSTODIAN}: without it nobody can be told to have signed up by himself"
            )
        return str(row["value"])

    def existing(self, user_ids: Sequence[str]) -> frozenset[str]:
        """Those of `user_ids` that have a row. Raises the first error."""
        found = self._gateway.get_many(self._tables.users, [(user,) for user in user_ids], ("userid",))
        return frozenset(user for user in user_ids if value_of(found[user,]) is not None)

    def _lookup(
        self, table: Table, ids: Iterable[str], remembered: dict[str, A], made_of: Callable[[Row], A]
    ) -> dict[str, A]:
        wanted = set(ids)
        missing = [(one,) for one in sorted(wanted) if one not in remembered]
        answers = self._gateway.get_many(table, missing, list(table.columns)) if missing else {}
        read = {key[0]: made_of(row) for key, answer in answers.items() if (row := value_of(answer)) is not None}
        found = {**{one: remembered[one] for one in wanted if one in remembered}, **read}
        remembered.update(read)
        while len(remembered) > _REMEMBERED:
            del remembered[next(iter(remembered))]
        return found


def _organisation(row: Row) -> Organisation:
    return Organisation(name=row["orgname"], external_id=row["externalid"], type=row["organisationtype"])


def _location(row: Row) -> Location:
    return Location(name=row["name"], type=row["type"])


class _StoredLocation(msgspec.Struct):
    type: str | None = None
    id: str | None = None


_LOCATIONS = msgspec.json.Decoder(list[_StoredLocation | None] | None)
_TYPES = msgspec.json.Decoder(list[Any] | None)


def _user(row: Row) -> UserRow:
    locations, types = _entries(row["profilelocation"], _LOCATIONS), _entries(row["profileusertypes"], _TYPES)
    return UserRow(
        user_id=row["userid"],
        first_name=row["firstname"],
        last_name=row["lastname"],
        email=row["email"],
        phone=row["phone"],
        root_org_id=row["rootorgid"],
        framework=row["framework"],
        locations=None if locations is None else [ProfileLocation(type=each.type, id=each.id) for each in locations],
        user_types=types,
    )


def _entries(text: str | None, decoder: msgspec.json.Decoder[list[S | None] | None]) -> list[S] | None:
    """The objects of a stored JSON list, none for no text; None when it is something else."""
    if not text:
        return []
    try:
        return [entry for entry in decoder.decode(text) or () if entry is not None]
    except msgspec.DecodeError:
        return None
