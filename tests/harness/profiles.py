"""Users of the tests of the user cache: events about them, profiles, and what the cache holds."""

import json
from pathlib import Path
from typing import Any

from tests.harness.in_process import Chain

SAMPLE = Path(__file__).parents[1] / "samples" / "telemetry.audit" / "documented.json"

SCHOOL = {"type": "school", "name": "[RPM] HIGH", "code": "3001"}

PROFILE: dict[str, Any] = {
    "userId": "u-100",
    "firstName": "Asha",
    "lastName": None,
    "encEmail": "x+Yz==",
    "encPhone": "q/Rs==",
    "rootOrgId": "org-1",
    "rootOrg": {"orgName": "State of Goa"},
    "language": ["English"],
    "status": 1,
    "userLocations": [{"type": "state", "name": "Goa", "code": "30"}, SCHOOL],
    "profileUserTypes": [{"type": "administrator", "subType": "hm"}, {"type": "teacher"}],
    "framework": {"id": ["NCF"], "board": ["CBSE"], "medium": ["Hindi", "Urdu"], "gradeLevel": ["Class 1"]},
}

CACHED = {
    "userid": "u-100",
    "firstname": "Asha",
    "lastname": "",
    "email": "x+Yz==",
    "phone": "q/Rs==",
    "rootorgid": "org-1",
    "orgname": "State of Goa",
    "language": '["English"]',
    "status": "1",
    "state": "Goa",
    "schoolname": r"\[RPM\] HIGH",
    "schooludisecode": "3001",
    "usertype": "administrator,teacher",
    "usersubtype": "hm",
    "profileusertypes": r'\[{"subType":"hm","type":"administrator"},{"type":"teacher"}\]',
    "board": "CBSE",
    "framework": "NCF",
    "medium": '["Hindi","Urdu"]',
    "grade": '["Class 1"]',
    "subject": "[]",
    "usersignintype": "Self-Signed-In",
}
"""What the documented event and PROFILE leave."""


def changed(
    user_id: str = "u-100", *said: tuple[str, str], pid: str = "learner-service", ets: int | None = 1_700_000_000_000
) -> dict[str, Any]:
    """An event of `user_id`; `said` are types and ids of its correlation data."""
    return {
        "eid": "AUDIT",
        "ets": ets,
        "context": {"pdata": {"pid": pid}, "cdata": [{"type": kind, "id": identifier} for kind, identifier in said]},
        "object": {"id": user_id, "type": "User"},
        "edata": {"state": "Update"},
    }


def documented() -> dict[str, Any]:
    """The documented event, about `u-100`."""
    event: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
    return event


def profile(chain: Chain, *user_ids: str, **changes: Any) -> None:
    """Give the users PROFILE with these members replaced."""
    chain.platform.add(users={user_id: {**PROFILE, "userId": user_id, **changes} for user_id in user_ids or ["u-100"]})


def cached(chain: Chain, user_id: str = "u-100") -> dict[str, str]:
    """The user's hash."""
    found: dict[str, str] = chain.ctx.redis.client("users", "user_cache_updater").hgetall(f"user:{user_id}")
    return found


def cache(chain: Chain, user_id: str = "u-100", **fields: str) -> None:
    """Store fields as another writer does."""
    chain.ctx.redis.client("users", "user_cache_updater").hset(f"user:{user_id}", mapping=fields)


def reads(chain: Chain, user_id: str = "") -> int:
    """How often the user service was asked, without signs of life."""
    asked = [each.path.rpartition("/")[2] for each in chain.platform.requests if "/user/v1/read/" in each.path]
    return len([each for each in asked if each and user_id in ("", each)])
