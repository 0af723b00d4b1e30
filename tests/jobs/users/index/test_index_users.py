"""The bulk user index: modes and pages."""

from typing import Any

import msgspec
import pytest

from lern_tasks.errors import InvalidArgument, RefusedByService, SettingsError
from lern_tasks.jobs.users.index import pages
from lern_tasks.jobs.users.index.index_users import NAME, index_users
from lern_tasks.jobs.users.user_cache import Change
from lern_tasks.sunbird.tables import USER_ORGANISATIONS, USERS
from tests.delivery.resumable.long_tasks import ONE_PAGE, LongTasks
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.indexed import ALICE, cached, names, place, seed, user, users

LONG_AGO = "2023-01-01 08:00:00:000+0000"


@pytest.fixture
def tasks(chain: Chain) -> LongTasks:
    return LongTasks(chain, index_users)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)


def test_a_user_from_all_tables(chain: Chain, tasks: LongTasks) -> None:
    seed(chain)
    places, kinds = [{"type": "State", "id": "l-1"}], [{"type": "teacher"}]
    profile = {
        "profilelocation": msgspec.json.encode(places).decode(),
        "profileusertypes": msgspec.json.encode(kinds).decode(),
    }
    user(chain, "u1", framework={"board": ["CBSE"], "medium": ["Hindi"]}, email="ZW5j", **profile)
    chain.put(USER_ORGANISATIONS, ("u1", "school-2"), isdeleted=False)
    chain.put(USER_ORGANISATIONS, ("u1", "school-1"), isdeleted=True)
    result = tasks.finish(NAME)
    assert cached(chain)["u1"] == {
        "firstname": "Name of u1",
        "email": "ZW5j",
        "rootorgid": "root",
        "orgname": "Karnataka",
        "usersignintype": "Validated",
        "board": "CBSE",
        "medium": '["Hindi"]',
        "state": "Karnataka",
        "schoolname": "High school-2",
        "schooludisecode": "2",
        "usertype": "teacher",
        "usersubtype": "",
        "profileusertypes": r'\[{"type":"teacher"}\]',
    }
    assert (result["since"], result["users"], result["written"]) == ("2023-11-13", 1, 1)
    assert users(chain).ttl("user:u1") == -1


def test_the_default_is_yesterday(chain: Chain, tasks: LongTasks) -> None:
    """The worked example: X was changed before the date, Y has no date."""
    seed(chain)
    user(chain, "new")
    user(chain, "x", updateddate=LONG_AGO)
    user(chain, "y", updateddate=None)
    result = tasks.finish(NAME)
    assert names(chain) == ["new", "y"]
    assert (result["users"], result["written"], result["not_due"]) == (3, 2, 1)


@pytest.mark.parametrize("since", ["", "full"])
def test_no_date_means_all(chain: Chain, tasks: LongTasks, since: str) -> None:
    """Trap 12: an empty date took only users without any."""
    seed(chain, "u1", "u2", "u3", updateddate=LONG_AGO)
    assert tasks.finish(NAME, since=since)["written"] == 3
    assert names(chain) == ["u1", "u2", "u3"]


def test_a_date(chain: Chain, tasks: LongTasks) -> None:
    seed(chain, "u1", updateddate=LONG_AGO)
    assert tasks.finish(NAME, since="2023-01-02")["written"] == 0
    assert tasks.finish(NAME, since="2023-01-01")["written"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"since": "last week"},
        {"since": "20230101"},
        {"since": None},
        {"refresh": "true"},
        {"anonymous": 1},
        {"refresh": True, "since": "2023-01-01"},
        {"anonymous": True, "since": "2023-01-01"},
        {"anonymous": True, "refresh": True},
    ],
)
def test_wrong_arguments_are_named(chain: Chain, tasks: LongTasks, arguments: dict[str, Any]) -> None:
    """Trap 13: arguments by place were taken for one another."""
    place(chain)
    with pytest.raises(InvalidArgument, match=r"since|refresh|anonymous"):
        tasks.finish(NAME, **arguments)


def test_what_a_row_does_not_say_stays(chain: Chain, tasks: LongTasks) -> None:
    seed(chain, "u1")
    users(chain).hset("user:u1", mapping={"state": "Goa", "language": '["English"]', "userlogintype": "teacher"})
    tasks.finish(NAME)
    assert {"state": "Goa", "language": '["English"]', "userlogintype": "teacher"}.items() <= cached(chain)[
        "u1"
    ].items()


def test_rows_without_user_id_are_passed_over(chain: Chain, tasks: LongTasks) -> None:
    seed(chain, "u1")
    chain.put(USERS, ("stub",), firstname="Nobody")
    assert tasks.finish(NAME)["users"] == 1
    assert names(chain) == ["u1"]


@pytest.mark.parametrize("column", ["profilelocation", "profileusertypes"])
@pytest.mark.parametrize("text", ["{", "[1]x", '{"type": "state"}', "7"])
def test_a_profile_that_cannot_be_read_stops_nobody(chain: Chain, tasks: LongTasks, column: str, text: str) -> None:
    seed(chain, "u1", "u2", "u3")
    user(chain, "u2", **{column: text})
    result = tasks.finish(NAME)
    assert cached(chain)["u2"]["firstname"] == "Name of u2"
    assert ("usertype" in cached(chain)["u2"]) is (column == "profilelocation")
    assert (result["written"], result["unreadable"]) == (3, 1)
    assert result["examples"] == [f"u2: {column} is no JSON list"]


def test_a_key_of_another_kind_stops_nobody(chain: Chain, tasks: LongTasks) -> None:
    seed(chain, "u1", "u2")
    users(chain).set("user:u1", "a text")
    result = tasks.finish(NAME)
    assert (result["written"], result["misplaced"]) == (1, 1)
    assert users(chain).type("user:u2") == "hash"


def test_what_the_stream_job_read_later_is_not_overwritten(chain: Chain, tasks: LongTasks) -> None:
    """10.6: a user whom the stream job reads while a page is on its way keeps what that wrote."""
    seed(chain, "u1", "u2")
    rows = chain.store
    real = rows.scan

    def scan(*args: Any, **options: Any) -> Any:
        page = real(*args, **options)
        token = chain.ctx.locks.acquire(["user:u1"]).tokens["user:u1"]
        assert not chain.ctx.user_cache.write([Change(user_id="u1", token=token, fields={"firstname": "New"})])
        rows.scan = real
        return page

    tasks.start(NAME)
    chain.new_ctx()
    rows = chain.store
    real = rows.scan
    rows.scan = scan
    message = chain.sender.named[-1]
    result = tasks.run(message)
    assert (result["written"], result["newer"]) == (1, 1)
    assert cached(chain)["u1"] == {"firstname": "New"}


def test_without_the_custodian_organisation_nothing_is_written(chain: Chain, tasks: LongTasks) -> None:
    user(chain, "u1")
    with pytest.raises(RefusedByService, match="custodianOrgId"):
        tasks.finish(NAME)
    assert not names(chain)
    place(chain)
    assert tasks.finish(NAME)["written"] == 1


def test_a_refresh_takes_all_users_and_removes_those_without_row(chain: Chain, tasks: LongTasks) -> None:
    """Trap 14, 19: anonymous entries, and keys that are no users, stay."""
    seed(chain, "u1", "u2", "u3", updateddate=LONG_AGO)
    client = users(chain)
    for gone in ("gone-1", "gone-2"):
        client.hset(f"user:{gone}", mapping=ALICE)
    client.hset("user:guest-1", mapping={"usersignintype": "Anonymous"})
    client.hset("user:guest-2", mapping={"userlogintype": "teacher"})
    client.hset("_spark:user:schema", mapping={"usersignintype": "Validated"})
    client.set("user:odd", "no hash")
    result = tasks.finish(NAME, refresh=True)
    assert sorted(client.scan_iter("*user:*", _type="hash")) == [
        *("_spark:user:schema", "user:guest-1", "user:guest-2", "user:u1", "user:u2", "user:u3")
    ]
    assert client.get("user:odd") == "no hash"
    assert (result["written"], result["removed"], result["since"]) == (3, 2, None)


def test_a_refresh_removes_what_a_row_no_longer_says(chain: Chain, tasks: LongTasks) -> None:
    seed(chain, "u1", updateddate=LONG_AGO)
    users(chain).hset("user:u1", mapping={"state": "Goa", "language": '["English"]', "userlogintype": "teacher"})
    tasks.finish(NAME, refresh=True)
    assert cached(chain)["u1"].keys() >= {"language", "userlogintype", "firstname"}
    assert "state" not in cached(chain)["u1"]


def test_a_refresh_never_shows_fewer_users(make_chain: MakeChain) -> None:
    """Trap 14: the whole cache was deleted first."""
    chain = make_chain(**ONE_PAGE)
    tasks = LongTasks(chain, index_users)
    ids = [f"u{n}" for n in range(7)]
    seed(chain, *ids, updateddate=LONG_AGO)
    for user_id in ids:
        users(chain).hset(f"user:{user_id}", mapping=ALICE)
    tasks.start(NAME, refresh=True)
    taken = 0
    while taken < len(chain.sender.named):
        message = chain.sender.named[taken]
        taken += 1
        result = tasks.run(message)
        assert names(chain) == ids
    assert result["written"] == 7
    assert taken > 4


def test_who_is_created_while_stale_hashes_are_looked_for_stays(chain: Chain, tasks: LongTasks) -> None:
    """Between the look into the table and the removal, the stream job writes a user."""
    seed(chain)
    users(chain).hset("user:u1", mapping=ALICE)
    chain.new_ctx()
    hashes = chain.ctx.user_hashes
    real = hashes._of.remove  # type: ignore[attr-defined]

    def remove(user_ids: Any, token: int) -> int:
        later = chain.ctx.locks.acquire(["user:u1"]).tokens["user:u1"]
        chain.ctx.user_cache.write([Change(user_id="u1", token=later, fields={"firstname": "New"})])
        return int(real(user_ids, token))

    hashes._of.remove = remove  # type: ignore[attr-defined]
    tasks.start(NAME, refresh=True)
    result = tasks.run(chain.sender.named[-1])
    assert result["removed"] == 0
    assert cached(chain)["u1"]["firstname"] == "New"


def test_where_rows_have_other_ids_nothing_is_removed(chain: Chain, tasks: LongTasks) -> None:
    seed(chain, "u1")
    user(chain, "row-2", userid="u2")
    users(chain).hset("user:gone", mapping=ALICE)
    result = tasks.finish(NAME, refresh=True)
    assert names(chain) == ["gone", "u1", "u2"]
    assert (result["other_ids"], result["removed"]) == (1, 0)


def test_anonymous_users_are_copied_and_nothing_else(chain: Chain, tasks: LongTasks) -> None:
    seed(chain, "u1")
    source = chain.ctx.redis.client("anonymous_users")
    source.hset(
        "user:a1", mapping={"userid": "a1", "usersignintype": "Anonymous", "userlogintype": "student", "state": "Goa"}
    )
    source.hset("user:a2", mapping={"userid": "a2", "firstname": "Bob"})
    source.hset("user:a3", mapping={"userid": "a3", "usersignintype": "Validated"})
    source.hset("user:a4", mapping={"firstname": "Cid"})
    source.hset("device:a5", mapping={"userid": "a5"})
    source.set("user:odd", "no hash")
    result = tasks.finish(NAME, anonymous=True)
    assert cached(chain) == {
        "a1": {"userid": "a1", "usersignintype": "Anonymous", "userlogintype": "student"},
        "a2": {"userid": "a2"},
    }
    assert (result["users"], result["written"], result["anonymous"]) == (2, 2, True)


def test_anonymous_users_of_the_same_database_are_refused(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_USER_CACHE_UPDATER__REDIS_USER_INPUT_INDEX="12")
    with pytest.raises(SettingsError, match="ANONYMOUS_USERS"):
        LongTasks(chain, index_users).finish(NAME, anonymous=True)


def test_the_default_is_the_day_before_the_first_slice(make_chain: MakeChain) -> None:
    """A run that goes on after midnight keeps its date."""
    chain = make_chain(**ONE_PAGE)
    tasks = LongTasks(chain, index_users)
    seed(chain, *(f"u{n}" for n in range(5)), updateddate="2023-11-13 00:00:00:000+0000")
    tasks.start(NAME)
    tasks.run(chain.sender.named[0])
    chain.time_ms += 86_400_000
    result = tasks.run(chain.sender.named[1])
    while result is None:
        result = tasks.run(chain.sender.named[-1])
    assert (result["since"], result["written"]) == ("2023-11-13", 5)
