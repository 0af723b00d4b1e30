"""The user cache: the same on fakeredis and on a real Redis."""

import fakeredis
import pytest

from lern_tasks.connections.redis import Client
from lern_tasks.errors import DependencyDown, LockBusy, TransientError
from lern_tasks.jobs.users.user_cache import Change, Entry, UserCache

DAY = 86_400


def change(token: int, user_id: str = "u1", removed: frozenset[str] = frozenset(), **fields: str) -> Change:
    return Change(user_id=user_id, token=token, fields=fields, removed=removed)


def test_many_users_are_written_and_read_in_one_call(client: Client) -> None:
    cache = UserCache(client)
    assert cache.write([change(1, state="Goa"), change(2, "u2", state="Assam", block="")]) == {}
    assert client.hgetall("user:u1") == {"state": "Goa"}
    assert cache.read(["u1", "u2", "u2", "u3"]) == {
        "u1": Entry(fields={"state": "Goa"}),
        "u2": Entry(fields={"state": "Assam", "block": ""}),
        "u3": Entry(),
    }


def test_fields_are_set_and_removed_at_once_and_others_stay(client: Client) -> None:
    client.hset("user:u1", mapping={"state": "Goa", "schoolname": "Old", "usersignintype": "Validated", "extra": "x"})
    removed = frozenset({"schoolname", "never there"})
    assert UserCache(client).write([change(1, removed=removed, state="Assam", firstname="")]) == {}
    assert client.hgetall("user:u1") == {
        "state": "Assam",
        "firstname": "",
        "usersignintype": "Validated",
        "extra": "x",
    }


def test_an_older_read_does_not_replace_a_newer_one(client: Client) -> None:
    cache = UserCache(client)
    newer, older = 1_700_000_000_000_001, 1_700_000_000_000_000
    assert cache.write([change(newer, state="Assam")]) == {}
    errors = cache.write([change(older, state="Goa", removed=frozenset({"state"})), change(older, "u2", state="Goa")])
    assert list(errors) == ["u1"]
    assert isinstance(errors["u1"], LockBusy)
    assert (client.hgetall("user:u1"), client.hgetall("user:u2")) == ({"state": "Assam"}, {"state": "Goa"})
    assert cache.write([change(newer, state="Kerala")]) == {}


def test_times_of_events_are_kept_beside_the_hash(client: Client) -> None:
    cache = UserCache(client)
    first = Change(
        user_id="u1", token=1, fields={"userlogintype": "student"}, event_times={"userlogintype": 1_700_000_000_000}
    )
    assert cache.write([first, change(2, state="Goa")]) == {}
    assert cache.read(["u1"])["u1"] == Entry(
        fields={"userlogintype": "student", "state": "Goa"}, event_times={"userlogintype": 1_700_000_000_000}
    )
    assert set(client.hgetall("user:u1")) == {"userlogintype", "state"}


def test_a_change_of_nothing_but_times_makes_no_hash(client: Client) -> None:
    cache = UserCache(client)
    assert cache.write([Change(user_id="u1", token=1, fields={}, event_times={"userlogintype": 1})]) == {}
    assert client.keys("user:*") == []


def test_hashes_do_not_expire_and_notes_outlive_what_may_still_come(client: Client) -> None:
    cache = UserCache(client)
    cache.write([change(1, state="Goa"), change(1, "u2", state="Goa")])
    cache.write([Change(user_id="u2", token=2, fields={"state": "Goa"}, event_times={"userlogintype": 1})])
    cache.write([change(3, "u2", state="Goa")])
    assert {client.ttl(key) for key in client.keys("user:*")} == {-1}
    ages = {key: client.ttl(key) for key in client.keys("*") if not key.startswith("user:")}
    assert set(ages) == {"lern:user-cache:u1", "lern:user-cache:u2"}
    assert DAY - 5 <= ages["lern:user-cache:u1"] <= DAY
    assert 31 * DAY - 5 <= ages["lern:user-cache:u2"] <= 31 * DAY


def test_another_kind_of_key_keeps_no_other_user_from_being_written(client: Client) -> None:
    client.set("user:u1", "text")
    cache = UserCache(client)
    assert isinstance(cache.read(["u1", "u2"])["u1"], TransientError)
    errors = cache.write([change(1, state="Goa"), change(1, "u2", state="Goa")])
    assert list(errors) == ["u1"]
    assert isinstance(errors["u1"], TransientError)
    assert client.hgetall("user:u2") == {"state": "Goa"}


def test_nothing_to_do_is_no_call() -> None:
    server = fakeredis.FakeServer()
    server.connected = False
    cache = UserCache(fakeredis.FakeRedis(server=server, decode_responses=True))
    assert (cache.read([]), cache.write([])) == ({}, {})
    with pytest.raises(DependencyDown):
        cache.read(["u1"])
    with pytest.raises(DependencyDown):
        cache.write([change(1, state="Goa")])


def test_what_is_printed_shows_nothing_of_the_person() -> None:
    printed = repr(Entry(fields={"firstname": "Asha"})) + repr(change(1, firstname="Asha"))
    assert "Asha" not in printed
