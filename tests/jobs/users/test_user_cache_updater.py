"""The user cache: outcomes of the task and the hashes that it leaves."""

import json
from itertools import count as numbers
from typing import Any, Final

import pytest

from lern_tasks import metrics as counters
from lern_tasks.jobs.users.profile_service import Profile
from lern_tasks.metrics import CounterName
from tests.harness.fixtures import MakeChain
from tests.harness.in_process import Chain
from tests.harness.profiles import CACHED, PROFILE, SCHOOL, cache, cached, changed, documented, profile, reads

JOB: Final = "user_cache_updater"
ROLE = ("UserRole", "student")
GOOGLE, SSO = ("SignupType", "google"), ("SignupType", "sso")
DONE = {"done": 1, "skipped": 0, "again": 0, "dead": 0}
SKIPPED = {"done": 0, "skipped": 1, "again": 0, "dead": 0}


def run(chain: Chain, *events: Any) -> dict[str, int]:
    return chain.run(JOB, *(chain.record(event) for event in events))


def test_the_documented_event_becomes_the_documented_hash(chain: Chain) -> None:
    profile(chain)
    assert run(chain, documented()) == DONE
    assert cached(chain) == CACHED
    (asked,) = chain.platform.requests
    assert (asked.path, asked.query) == ("/learner/private/user/v1/read/u-100", "fields=locations,organisations")
    assert not chain.published.messages


def test_it_lies_where_the_reports_look_and_does_not_expire(chain: Chain) -> None:
    profile(chain)
    run(chain, documented())
    client = chain.ctx.redis.client("users", JOB)
    assert client.connection_pool.connection_kwargs["db"] == 12
    assert (client.keys("user:*"), client.ttl("user:u-100")) == (["user:u-100"], -1)


def test_the_same_event_three_times_is_the_same_hash(chain: Chain) -> None:
    profile(chain)
    for _ in range(3):
        assert run(chain, documented()) == DONE
        assert cached(chain) == CACHED


def test_created_after_updated_is_the_same_hash(chain: Chain) -> None:
    profile(chain)
    created = {**documented(), "edata": {"state": "Create"}, "ets": 1_600_000_000_000}
    for event in (documented(), created):
        run(chain, event)
    assert cached(chain) == CACHED


def test_several_events_of_a_user_share_one_read(chain: Chain) -> None:
    profile(chain, "u-100", "u-2")
    events = [documented(), changed("u-2"), changed(), changed("u-2", ROLE, pid="sunbird.app")]
    assert run(chain, *events)["done"] == 4
    assert reads(chain) == 2
    assert cached(chain) == CACHED
    assert cached(chain, "u-2")["userlogintype"] == "student"


def test_a_message_of_many_users(chain: Chain) -> None:
    users = [f"u-{number}" for number in range(50)]
    profile(chain, *users)
    assert run(chain, *(changed(user) for user in users))["done"] == 50
    assert {cached(chain, user)["userid"] for user in users} == set(users)


def test_the_worked_total(chain: Chain) -> None:
    """Nine events: seven users written, one of a content, one of another state; skipped counts each of these once."""
    names: list[CounterName] = [
        "total-audit-events-count",
        "success-message-count",
        "user-cache-hit",
        "skipped-message-count",
        "api-read-success-count",
        "api-read-miss-count",
    ]
    users = [f"u-{number}" for number in range(4)]
    profile(chain, *users)
    before = [counters.value(name, job=JOB) for name in names]
    events = [changed(user) for user in users]
    events += [changed(f"app-{number}", ROLE, pid="sunbird.app") for number in range(3)]
    events += [{**changed(), "object": {"id": "do_1", "type": "Content"}}, {**changed(), "edata": {"state": "Login"}}]
    assert run(chain, *events) == {"done": 7, "skipped": 2, "again": 0, "dead": 0}
    after = [counters.value(name, job=JOB) for name in names]
    assert [new - old for new, old in zip(after, before, strict=True)] == [9, 7, 7, 2, 4, 0]


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ([ROLE], {"userlogintype": "student"}),
        ([SSO, ROLE], {"userlogintype": "student", "usersignintype": "Validated"}),
        ([GOOGLE], {"usersignintype": "Self-Signed-In"}),
        ([("userrole", "a"), ("USERROLE", "[b]")], {"userlogintype": r"\[b\]"}),
    ],
)
def test_another_producer_changes_what_its_event_says_alone(
    chain: Chain, said: list[tuple[str, str]], fields: dict[str, str]
) -> None:
    cache(chain, state="Goa", schoolname="A")
    assert run(chain, changed("u-100", *said, pid="sunbird.app")) == DONE
    assert cached(chain) == {"state": "Goa", "schoolname": "A", **fields}
    assert reads(chain) == 0


@pytest.mark.parametrize("said", [[], [("SignupType", "keycloak")], [("Request", "r-1")]])
def test_another_producer_that_says_nothing_is_skipped(chain: Chain, said: list[tuple[str, str]]) -> None:
    assert run(chain, changed("u-100", *said, pid="Learner-Service")) == SKIPPED
    assert cached(chain) == {}


def test_what_left_the_profile_leaves_the_hash_if_it_may_be_removed(chain: Chain) -> None:
    profile(chain)
    run(chain, documented())
    profile(chain, userLocations=[{"type": "state", "name": "Assam"}], framework={}, profileUserTypes=None)
    assert run(chain, changed()) == DONE
    gone = {"schoolname", "schooludisecode"}
    assert cached(chain) == {name: text for name, text in CACHED.items() if name not in gone} | {"state": "Assam"}


def test_a_setting_lets_other_fields_go_too(make_chain: MakeChain) -> None:
    names = ["schoolname", "usertype", "board"]
    chain = make_chain(LERN_USER_CACHE_UPDATER__USER_REDIS_REMOVEABLE_FIELDS=json.dumps(names))
    profile(chain)
    run(chain, documented())
    profile(chain, userLocations=None, framework=None, profileUserTypes=None)
    run(chain, changed())
    assert set(CACHED) - set(cached(chain)) == set(names)


def test_a_deleted_user_has_its_status(chain: Chain) -> None:
    profile(chain)
    run(chain, documented())
    profile(chain, status=2.0, firstName="")
    assert run(chain, {**changed(), "edata": {"state": "DELETED"}}) == DONE
    assert (cached(chain)["status"], cached(chain)["firstname"]) == ("2", "")


def test_a_blocked_account_keeps_its_hash_but_for_what_the_event_says(chain: Chain) -> None:
    stored = {"state": "Goa", "schoolname": "A", "usersignintype": "Self-Signed-In"}
    cache(chain, **stored)
    chain.platform.add(users={"u-100": {"blocked": True}})
    assert run(chain, changed()) == SKIPPED
    assert cached(chain) == stored
    assert run(chain, changed("u-100", SSO)) == DONE
    assert cached(chain) == {**stored, "usersignintype": "Validated"}


@pytest.mark.parametrize(("state", "left"), [("Delete", ["state"]), ("DELETED", ["state"]), ("Update", None)])
def test_a_deleted_account_that_is_blocked_keeps_nothing_personal(
    chain: Chain, state: str, left: list[str] | None
) -> None:
    stored = {"state": "Goa", "firstname": "Asha", "lastname": "Rao", "email": "enc-mail", "phone": "enc-phone"}
    cache(chain, **stored)
    chain.platform.add(users={"u-100": {"blocked": True}})
    event = changed()
    event["edata"]["state"] = state
    assert run(chain, event) == (DONE if left else SKIPPED)
    assert list(cached(chain)) == (left or list(stored))
    assert run(chain, event) == SKIPPED


def test_an_older_event_does_not_replace_what_a_newer_one_said(chain: Chain) -> None:
    newer = changed("u-100", ROLE, pid="app", ets=1_700_000_000_002)
    older = changed("u-100", ("UserRole", "teacher"), SSO, pid="app", ets=1_700_000_000_001)
    assert [run(chain, newer), run(chain, older)] == [DONE, DONE]
    assert cached(chain) == {"userlogintype": "student", "usersignintype": "Validated"}
    assert run(chain, changed("u-100", ("UserRole", "teacher"), pid="app", ets=5)) == SKIPPED
    assert cached(chain) == {"userlogintype": "student", "usersignintype": "Validated"}


def test_an_event_of_tomorrow_or_without_time_counts_when_kafka_took_it(chain: Chain) -> None:
    wrong = chain.record(changed("u-100", ROLE, pid="app", ets=1_900_000_000_000), timestamp=1_700_000_000_000)
    timeless = chain.record(changed("u-100", SSO, pid="app", ets=None), timestamp=1_700_000_000_001)
    later = chain.record(changed("u-100", GOOGLE, ("UserRole", "teacher"), pid="app", ets=1_700_000_000_002))
    for record in (wrong, timeless, later):
        assert chain.run(JOB, record) == DONE
    assert cached(chain) == {"userlogintype": "teacher", "usersignintype": "Self-Signed-In"}


def test_settings_say_who_is_registered_and_what_sign_up_means(make_chain: MakeChain) -> None:
    prefix = "LERN_USER_CACHE_UPDATER__"
    chain = make_chain(
        **{
            f"{prefix}REGD_USER_PRODUCER_PID": "userorg-service",
            f"{prefix}USER_SELF_SIGNIN_TYPES": '["oidc"]',
            f"{prefix}USER_SELF_SIGNIN_KEY": "Own",
            f"{prefix}USER_VALIDATED_TYPES": '["google"]',
            f"{prefix}USER_VALID_KEY": "State",
            f"{prefix}REDIS_META_DATABASE_USERSTORE_ID": "7",
        }
    )
    profile(chain)
    assert run(chain, changed("u-100", ("SignupType", "oidc"), pid="userorg-service")) == DONE
    assert cached(chain)["usersignintype"] == "Own"
    assert run(chain, changed("u-100", GOOGLE, pid="userorg-service", ets=1_700_000_000_001)) == DONE
    assert cached(chain) == {**CACHED, "usersignintype": "State"}
    assert chain.ctx.redis.client("users", JOB).connection_pool.connection_kwargs["db"] == 7


@pytest.mark.parametrize("kinds", ["dynamic", "both"])
def test_framework_fields_by_category(make_chain: MakeChain, kinds: str) -> None:
    chain = make_chain(LERN_USER_CACHE_UPDATER__FRAMEWORK_FIELDS=kinds)
    categories = [{"code": "board"}, {"code": "gradeLevel"}, {"code": "skill"}]
    chain.platform.add(frameworks={"NCF": {"categories": categories}})
    profile(chain)
    cache(chain, framework_skill='["x"]', board="old")
    assert run(chain, documented()) == DONE
    found = cached(chain)
    assert {name: found[name] for name in found if name.startswith("framework_")} == {
        "framework_id": "NCF",
        "framework_board": '["CBSE"]',
        "framework_gradeLevel": '["Class 1"]',
    }
    assert found["board"] == ("CBSE" if kinds == "both" else "old")
    run(chain, documented())
    assert len(chain.platform.requests_to("GET", "/framework/v1/read/NCF")) == 1


def test_a_framework_service_that_is_away_removes_nothing(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_USER_CACHE_UPDATER__FRAMEWORK_FIELDS="dynamic")
    profile(chain)
    cache(chain, framework_skill='["x"]')
    chain.platform.switches.update({"framework_read": "500", "framework_read_times": 1})
    assert run(chain, documented())["again"] == 1
    assert cached(chain) == {"framework_skill": '["x"]'}
    chain.platform.add(frameworks={"NCF": {"categories": [{"code": "board"}]}})
    chain.drain()
    assert "framework_skill" not in cached(chain)
    assert cached(chain)["framework_board"] == '["CBSE"]'


def test_two_workers_in_opposite_order_leave_the_later_read(chain: Chain) -> None:
    """One reads the user, is stopped until its lock has gone to another, and writes after it."""
    profile(chain)
    slow = chain.ctx
    read = slow.user_profiles.read
    asked = numbers()

    def stopped(user_id: str) -> Profile:
        found = read(user_id)
        if next(asked) == 0:
            profile(chain, userLocations=[SCHOOL, {"type": "state", "name": "Assam"}])
            chain.new_ctx()
            assert run(chain, changed()) == DONE
            chain.ctx = slow
        return found

    slow.user_profiles.read = stopped  # type: ignore[method-assign]
    assert run(chain, documented()) == {"done": 0, "skipped": 0, "again": 1, "dead": 0}
    assert cached(chain)["state"] == "Assam"
    assert "usersignintype" not in cached(chain)
    chain.drain()
    assert cached(chain) == {**CACHED, "state": "Assam"}


def test_nothing_of_the_person_is_in_what_is_sent_or_published(make_chain: MakeChain) -> None:
    chain = make_chain(LERN_TASKS__MAX_OUTAGE="300")
    profile(chain)
    for status in ("500", "404"):
        chain.platform.switches.user_read = status
        chain.send(JOB, chain.record(changed("u-100", ROLE)))
        chain.drain()
    dead_letters = chain.published.to("dev.lern.tasks.failed")
    assert len(dead_letters) == 2
    headers = repr([dead_letter.headers for dead_letter in dead_letters])
    assert not [value for value in PROFILE.values() if isinstance(value, str) and value != "u-100" and value in headers]
    assert "student" not in headers
