"""Users and what they point to, as the user service stores them, and what the cache has of them."""

from typing import Any

from lern_tasks.sunbird.tables import LOCATIONS, ORGANISATIONS, SYSTEM_SETTINGS, USERS
from tests.harness.in_process import Chain

YESTERDAY = "2023-11-13 08:00:00:000+0000"
"""The test's clock stands at 2023-11-14."""

ALICE = {"firstname": "Alice", "usersignintype": "Validated"}


def user(chain: Chain, user_id: str, **cells: Any) -> None:
    row = {"userid": user_id, "firstname": f"Name of {user_id}", "rootorgid": "root", "updateddate": YESTERDAY}
    chain.put(USERS, (user_id,), **{name: cell for name, cell in {**row, **cells}.items() if cell is not None})


def place(chain: Chain) -> None:
    """What users point to."""
    chain.put(SYSTEM_SETTINGS, ("custodianOrgId",), value="custodian")
    chain.put(ORGANISATIONS, ("root",), orgname="Karnataka", externalid="KA", organisationtype=5)
    for school in ("school-1", "school-2"):
        chain.put(ORGANISATIONS, (school,), orgname=f"High {school}", externalid=school[-1], organisationtype=2)
    chain.put(LOCATIONS, ("l-1",), name="Karnataka", type="state")


def seed(chain: Chain, *user_ids: str, **cells: Any) -> None:
    place(chain)
    for user_id in user_ids:
        user(chain, user_id, **cells)


def users(chain: Chain) -> Any:
    return chain.ctx.redis.client("users")


def cached(chain: Chain) -> dict[str, dict[str, str]]:
    client = users(chain)
    return {key.removeprefix("user:"): client.hgetall(key) for key in sorted(client.scan_iter("user:*"))}


def names(chain: Chain) -> list[str]:
    return list(cached(chain))
