"""Flower as the command starts it: not without a password, and with the broker's queues."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import redis as redis_client

from lern_tasks.demo.servers.redis import Redis
from tests.harness.processes import ROOT
from tests.harness.waiting import wait_until
from tests.servers.ports import free_ports


def child_environment(**env: str) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if not name.startswith(("LERN_", "FLOWER_"))}, **env}


def command(port: int, *options: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "lern_tasks",
        "flower",
        "--address=127.0.0.1",
        f"--port={port}",
        *options,
    ]


@contextmanager
def flower(redis: Redis, log: Path, *options: str, **env: str) -> Iterator[str]:
    """A Flower that answers; its address."""
    (port,) = free_ports(1)
    environment = child_environment(LERN_REDIS__URL=redis.url, **env)
    with log.open("wb") as output:
        process = subprocess.Popen(command(port, *options), env=environment, cwd=ROOT, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(address, process), seconds=60, what="Flower")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(address: str, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "Flower has ended"
    try:
        return httpx.get(f"{address}/healthcheck", timeout=20, trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_without_a_password_it_does_not_start(redis: Redis) -> None:
    environment = child_environment(LERN_REDIS__URL=redis.url)
    run = subprocess.run(command(1), env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert "--basic-auth" in run.stderr
    assert "LERN_FLOWER__OPEN=1" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "env"),
    [(("--basic-auth=admin:secret",), {}), ((), {"LERN_FLOWER__OPEN": "1", "FLOWER_UNAUTHENTICATED_API": "true"})],
)
def test_it_shows_how_many_messages_wait(
    redis: Redis, tmp_path: Path, options: tuple[str, ...], env: dict[str, str]
) -> None:
    with redis_client.Redis.from_url(f"{redis.url}/0") as client:
        client.rpush("bulk", "one", "two")
    with flower(redis, tmp_path / "log", *options, **env) as address:
        auth = ("admin", "secret") if options else None
        if auth:
            assert httpx.get(f"{address}/api/queues/length", timeout=20, trust_env=False).status_code == 401
        answer = httpx.get(f"{address}/api/queues/length", auth=auth, timeout=20, trust_env=False)
        assert answer.status_code == 200
        found = {queue["name"]: queue["messages"] for queue in answer.json()["active_queues"]}
        assert found["bulk"] == 2
        assert httpx.get(f"{address}/broker", auth=auth, timeout=20, trust_env=False).status_code == 200
