"""The embedded stack as tests use it."""

import os
import signal
from pathlib import Path

import pytest
import redis

from lern_tasks.demo.servers import environment
from lern_tasks.demo.servers.stack import EmbeddedStack, StackError
from lern_tasks.settings import load
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.slow


def test_overrides_reach_settings_and_processes_and_the_users_own_settings_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LERN_KAFKA__BROKERS", "user.example:9092")
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://user.example:6379/0")
    with EmbeddedStack(tmp_path, {"LERN_ENV": "staging", "LERN_LOG_FORMAT": "json"}) as stack:
        assert stack.settings.env == "staging"
        assert stack.settings.kafka.brokers == stack.kafka
        assert stack.settings.store == f"sqlite:{stack.store_path}"
        bridge = stack.start_bridge("relation_cache_updater")
        wait_until(lambda: "partitions_assigned" in bridge.log(), seconds=60, what="the bridge has its partitions")
        assert "staging.content.postpublish.request" in bridge.log()
        assert "coursebatch" not in bridge.log()
        client = redis.Redis.from_url(stack.redis_url)
        assert client.ping()
        client.close()
        pids = [child.pid for child in stack.processes]
    assert load().kafka.brokers == "user.example:9092"
    assert not [pid for pid in pids if _runs(pid)]


def test_a_process_that_ends_by_itself_is_told_with_its_log(tmp_path: Path) -> None:
    with EmbeddedStack(tmp_path) as stack:
        child = stack.start_bridge("no_such_job")
        wait_until(lambda: not child.alive, seconds=60, what="the bridge ends")
        with pytest.raises(StackError, match="no_such_job"):
            stack.check()


def test_an_error_in_the_block_ends_every_process_at_once(tmp_path: Path) -> None:
    pids: list[int] = []

    def work() -> None:
        with EmbeddedStack(tmp_path) as stack:
            stack.start_worker()
            pids.extend(child.pid for child in stack.processes)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert pids
    assert not [pid for pid in pids if _runs(pid)]


def test_a_stack_that_cannot_start_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    original = EmbeddedStack._child

    def start(self: EmbeddedStack, name: str, *arguments: object, **options: object) -> object:
        child = original(self, name, *arguments, **options)  # type: ignore[arg-type]
        started.append(child.pid)
        if name == "registry":
            os.kill(child.pid, signal.SIGKILL)
        return child

    monkeypatch.setattr(EmbeddedStack, "_child", start)
    with pytest.raises(StackError, match="registry ended while it started"):
        EmbeddedStack(tmp_path).__enter__()
    assert len(started) == 4
    assert not [pid for pid in started if _runs(pid)]


def test_loopback_is_never_reached_by_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "internal.example")
    found = environment.process_environment({"LERN_ENV": "dev"})
    assert found["no_proxy"].split(",") == ["internal.example", "127.0.0.1", "localhost"]
    assert {name for name in found if name.startswith(("LERN_", "CELERY_"))} == {"LERN_ENV"}


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
