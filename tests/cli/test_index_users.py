"""`lern index-users` on the embedded Redis and a store in a file."""

import io
import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis as redis_library
from rich.console import Console

from lern_tasks.cli.index_users import run as index_run
from lern_tasks.cli.index_users.display import IndexDisplay
from lern_tasks.delivery.resumable.checkpoints import Checkpoint
from lern_tasks.demo.servers.redis import Redis
from lern_tasks.jobs.users.index import pages as user_index_pages
from lern_tasks.jobs.users.index.runs import IndexRuns
from lern_tasks.storage.gateway import PutCells
from lern_tasks.storage.sqlite.gateway import SqliteGateway
from lern_tasks.sunbird.tables import SYSTEM_SETTINGS, USERS
from tests.cli.conftest import Lern

USERS_SEEDED = 6
OLD = "2020-01-01 00:00:00:000+0000"


class Installed:
    """An installation with some users, in pages of two."""

    def __init__(self, lern: Lern, store: Path, redis: Redis) -> None:
        self._lern = lern
        self._store = store
        self._url = redis.url
        self.cache = redis_library.Redis.from_url(f"{redis.url}/12", decode_responses=True)
        self.state = redis_library.Redis.from_url(f"{redis.url}/1", decode_responses=True)

    def put(self, table: Any, key: str, **cells: Any) -> None:
        gateway = SqliteGateway(str(self._store))
        assert gateway.apply([PutCells(table=table, key=(key,), cells=cells)]) == [None]
        gateway.close()

    def run(self, *arguments: str) -> Any:
        environment = {"LERN_STORE": f"sqlite:{self._store}", "LERN_REDIS__URL": self._url}
        return self._lern("index-users", *arguments, **environment)

    def names(self) -> list[str]:
        return sorted(str(key) for key in self.cache.scan_iter("user:*"))


@pytest.fixture
def installed(lern_command: Lern, redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(user_index_pages, "PAGE", 2)
    made = Installed(lern_command, tmp_path / "store.sqlite", redis)
    gateway = SqliteGateway(str(tmp_path / "store.sqlite"))
    gateway.create([USERS, SYSTEM_SETTINGS])
    gateway.close()
    made.put(SYSTEM_SETTINGS, "custodianOrgId", value="custodian")
    for number in range(USERS_SEEDED):
        made.put(USERS, f"u{number}", userid=f"u{number}", rootorgid="root", updateddate=OLD)
    yield made
    made.cache.close()
    made.state.close()


ALL = [f"user:u{number}" for number in range(USERS_SEEDED)]


def test_all_users_and_the_table(installed: Installed) -> None:
    result = installed.run("--since", "full")
    assert result.exit_code == 0, result.output
    assert installed.names() == ALL
    assert "all users" in result.stdout
    assert "users a second" in result.stdout


def test_json(installed: Installed) -> None:
    result = installed.run("--since", "2020-01-02", "--json")
    found = json.loads(result.stdout)
    assert (found["since"], found["users"], found["written"], found["not_due"]) == ("2020-01-02", 6, 0, 6)
    assert not installed.names()


def test_refresh(installed: Installed) -> None:
    installed.cache.hset("user:gone", mapping={"usersignintype": "Validated"})
    result = installed.run("--refresh", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["removed"] == 1
    assert installed.names() == ALL


def test_anonymous(installed: Installed, redis: Redis) -> None:
    with redis_library.Redis.from_url(f"{redis.url}/4") as source:
        source.hset("user:a1", mapping={"userid": "a1", "usersignintype": "Anonymous"})
    assert installed.run("--anonymous").exit_code == 0
    assert installed.names() == ["user:a1"]


def test_users_that_are_not_whole_are_named(installed: Installed) -> None:
    installed.put(USERS, "u3", profilelocation="{")
    result = installed.run("--since", "full")
    assert result.exit_code == 1
    assert "u3: profilelocation is no JSON list" in result.stdout
    assert installed.names() == ALL


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--since", "last week"], "2024-05-31"),
        (["--refresh", "--since", "2024-01-01"], "leave since out"),
        (["--anonymous", "--refresh"], "nothing else"),
        (["--resume", "--refresh"], "leave out --refresh"),
        (["--resume"], "no run to go on with"),
    ],
)
def test_what_cannot_be_run(installed: Installed, arguments: list[str], message: str) -> None:
    result = installed.run(*arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_ctrl_c_leaves_a_run_that_can_be_resumed(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    real, pages = user_index_pages.IndexPages._page, []

    def page(self: Any, *args: Any) -> Checkpoint:
        pages.append(args)
        if len(pages) == 3:
            signal.raise_signal(signal.SIGINT)
        return real(self, *args)

    monkeypatch.setattr(user_index_pages.IndexPages, "_page", page)
    result = installed.run("--since", "full")
    assert result.exit_code == 130
    assert "--resume" in result.stderr
    assert installed.names() == ALL[:4]
    resumed = installed.run("--resume", "--json")
    assert resumed.exit_code == 0, resumed.output
    assert json.loads(resumed.stdout)["users"] == 6
    assert installed.names() == ALL
    assert "has ended" in installed.run("--resume").output


def test_a_second_run_is_refused_while_one_goes_on(installed: Installed) -> None:
    runs = IndexRuns(installed.state)
    assert runs.claim("run-7", lease=60) is None
    result = installed.run()
    assert result.exit_code == 2
    assert "run-7" in result.output
    runs.release("run-7")
    assert installed.run().exit_code == 0


def test_two_that_resume_one_run_do_not_both_go_on(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    real = index_run.IndexRun._through_failures

    def overtaken(self: Any, page: Any) -> Checkpoint:
        found = real(self, page)
        self._ctx.runs.write(self._id, replace(self._run, version=self._run.version + 1))
        return found

    monkeypatch.setattr(index_run.IndexRun, "_through_failures", overtaken)
    result = installed.run()
    assert result.exit_code == 2
    assert "another process" in result.output


def test_an_outage_that_lasts_says_how_to_go_on(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_run, "_PATIENCE", 0.1)
    (installed._store).write_bytes(b"no database")
    result = installed.run()
    assert result.exit_code == 2
    assert "--resume" in result.output


@pytest.mark.parametrize("terminal", [True, False])
def test_the_display(terminal: bool) -> None:
    output = io.StringIO()
    display = IndexDisplay(Console(file=output, force_terminal=terminal, width=100, color_system=None), 1000)
    display._next_line = 0.0
    with display:
        display.show(Checkpoint(after="users 1", done=0.25, result={"users": 3000}))
    assert "25%" in output.getvalue()
    assert "3,000 users" in output.getvalue()
