"""The bulk user index, refreshed by processes that die."""

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from lern_tasks.jobs.users.index import pages
from lern_tasks.jobs.users.index.index_users import NAME, index_users
from lern_tasks.sunbird.tables import USER_ORGANISATIONS
from tests.delivery.resumable.long_tasks import LongTasks
from tests.harness.in_process import Chain
from tests.harness.indexed import ALICE, cached, names, seed, users
from tests.jobs.crash_scenario import CrashScenario

LONG_AGO = "2023-01-01 08:00:00:000+0000"


class Refresh(CrashScenario):
    """Three users in pages of two, one who is gone, and a guest whom the job leaves alone."""

    effects = 41

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain)
        self.tasks = LongTasks(chain, index_users)

    def prepare(self) -> None:
        seed(self.chain, "u1", "u2", "u3", updateddate=LONG_AGO)
        self.chain.put(USER_ORGANISATIONS, ("u1", "school-1"), isdeleted=False)
        users(self.chain).hset("user:gone", mapping=ALICE)
        users(self.chain).hset("user:guest", mapping={"usersignintype": "Anonymous"})

    def send(self) -> None:
        self.task_id = self.tasks.start(NAME, refresh=True)

    def drain(self, *deaths: int, backwards: bool) -> list[str]:
        with patch.object(pages, "PAGE", 2):
            return self.tasks.drain(*deaths)

    def state(self) -> dict[str, Any]:
        return cached(self.chain)

    def check(self, effects: Sequence[str]) -> None:
        del effects
        assert names(self.chain) == ["guest", "u1", "u2", "u3"]
        assert cached(self.chain)["u1"]["schoolname"] == "High school-1"
        result = self.tasks.results[self.task_id]
        assert (result["users"], result["written"]) == (3, 3)
