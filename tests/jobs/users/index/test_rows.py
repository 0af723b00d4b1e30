"""What the bulk index reads: each organisation once, bounded memory, errors raised."""

from collections.abc import Sequence
from typing import Any

import pytest

from lern_tasks.errors import LernError, TransientError
from lern_tasks.jobs.users.index import rows as user_rows
from lern_tasks.jobs.users.index.rows import UserRows
from lern_tasks.jobs.users.rules.index import Organisation
from lern_tasks.sunbird.table_names import JobTables


class Organisations:
    """A gateway with all organisations but `o-gone`, which notes down what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: LernError | None = None

    def get_many(self, _: object, keys: Sequence[tuple[str, ...]], columns: Sequence[str]) -> dict[Any, Any]:
        self.asked += [key for (key,) in keys]
        row = {"id": "", "orgname": "a", "externalid": None, "organisationtype": 2}
        return {key: self.error or (None if key == ("o-gone",) else row) for key in keys}

    def select_many(self, _: object, keys: Sequence[tuple[str, ...]], columns: Sequence[str]) -> dict[Any, Any]:
        return {key: self.error or [] for key in keys}


def rows() -> tuple[UserRows, Organisations]:
    gateway: Any = Organisations()
    return UserRows(gateway, JobTables()), gateway


def test_each_organisation_is_read_once_and_a_missing_one_is_looked_for_again() -> None:
    reader, gateway = rows()
    expected = Organisation(name="a", external_id=None, type=2)
    for _ in range(2):
        assert reader.organisations(["o1", "o-gone", "o1"]) == {"o1": expected}
    assert gateway.asked == ["o-gone", "o1", "o-gone"]


def test_a_bounded_number_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_rows, "_REMEMBERED", 3)
    reader, gateway = rows()
    wanted = [f"o{number}" for number in range(5)]
    assert sorted(reader.organisations(wanted)) == wanted
    gateway.asked.clear()
    assert sorted(reader.organisations(wanted)) == wanted
    assert gateway.asked == ["o0", "o1"]


def test_an_error_of_one_row_is_raised() -> None:
    reader, gateway = rows()
    gateway.error = TransientError("too slow")
    with pytest.raises(TransientError):
        reader.organisations(["o1"])
    with pytest.raises(TransientError):
        reader.memberships(["u1"])
    with pytest.raises(TransientError):
        reader.existing(["u1"])
