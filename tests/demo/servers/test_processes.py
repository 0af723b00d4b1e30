"""Each embedded part as a process of its own: reports, serves, ends with its parent and on signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import redis
from confluent_kafka import Producer

from tests.demo.conftest import StartChild, read_report

PARTS = [
    ("servers.kafka", ("--topics", "dev.one:3,dev.two:1"), "bootstrap"),
    ("servers.redis", (), "url"),
    ("platform.registry", (), "url"),
    ("platform.platform_api", (), "url"),
]
# The child polls its parent five times a second; the rest is for a loaded machine.
END_SECONDS = 20.0

# A parent that starts a child, passes its report on, and waits.
PARENT = """
import subprocess, sys, os, threading
child = subprocess.Popen([sys.executable, "-m", *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
sys.stdout.write(child.stdout.readline())
sys.stdout.flush()
threading.Event().wait()
"""


def _address(report: dict[str, str], key: str) -> tuple[str, int]:
    host, _, port = report[key].rpartition("/")[2].partition(":")
    assert host == "127.0.0.1"
    return host, int(port)


def _accepts(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def _wait_until_gone(address: tuple[str, int]) -> None:
    deadline = time.monotonic() + END_SECONDS
    pause = 0.05
    while _accepts(address):
        assert time.monotonic() < deadline, "the process still listens"
        time.sleep(pause)


@pytest.mark.parametrize(("name", "arguments", "key"), PARTS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_reports_listens_and_ends_quietly_on_a_signal(
    start_child: StartChild, name: str, arguments: tuple[str, ...], key: str, number: signal.Signals
) -> None:
    process, report = start_child(name, *arguments)
    assert list(report) == [key]
    assert _accepts(_address(report, key))

    process.send_signal(number)

    output, errors = process.communicate(timeout=END_SECONDS)
    assert (process.returncode, output, errors) == (0, "", "")
    assert not _accepts(_address(report, key))


@pytest.mark.parametrize(("name", "arguments", "key"), PARTS)
def test_ends_when_its_parent_is_killed(name: str, arguments: tuple[str, ...], key: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, f"lern_tasks.demo.{name}", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        address = _address(read_report(parent), key)
        assert _accepts(address)
    finally:
        parent.kill()
        parent.communicate()
    _wait_until_gone(address)


def test_ends_at_once_when_the_parent_was_gone_before_it_looked() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    child = subprocess.run(
        [sys.executable, "-m", "lern_tasks.demo.platform.registry", "--parent-pid", str(ended.pid)],
        timeout=END_SECONDS,
        check=False,
        capture_output=True,
    )
    assert (child.returncode, child.stderr) == (0, b"")


def test_ends_without_a_traceback_when_nobody_reads_the_report() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        child = subprocess.run(
            [sys.executable, "-m", "lern_tasks.demo.platform.platform_api"],
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=END_SECONDS,
            check=False,
        )
    finally:
        os.close(writing)
    assert (child.returncode, child.stderr) == (1, b"")


def test_kafka_has_the_topics_asked_for(start_child: StartChild) -> None:
    _, report = start_child("servers.kafka", "--topics", "dev.one:3,dev.two:1")
    topics = Producer({"bootstrap.servers": report["bootstrap"]}).list_topics(timeout=10).topics
    assert {name: len(topic.partitions) for name, topic in topics.items()} == {"dev.one": 3, "dev.two": 1}


def test_redis_serves_other_processes(start_child: StartChild) -> None:
    _, report = start_child("servers.redis")
    with redis.Redis.from_url(f"{report['url']}/13") as one, redis.Redis.from_url(f"{report['url']}/13") as other:
        one.set("key", "value")
        assert other.get("key") == b"value"


def test_registry_survives_a_kill_on_the_same_port(
    start_child: StartChild, client: httpx.Client, tmp_path: Path
) -> None:
    data = tmp_path / "certificates.jsonl"
    process, report = start_child("platform.registry", "--data", str(data), "--public-url", "https://certs.example")
    body = {"recipient": {"id": "u-1"}, "training": {"id": "do_1", "type": "Course"}}
    osid = client.post(f"{report['url']}/api/v1/TrainingCertificate", json=body).json()["result"][
        "TrainingCertificate"
    ]["osid"]
    keys = client.post(f"{report['url']}/api/v1/PublicKey/search", json={"filters": {}}).json()
    process.kill()
    process.communicate()
    with data.open("a") as file:
        file.write('{"entity": "TrainingCert')  # the line at which the kill came

    _, report = start_child("platform.registry", "--data", str(data), "--port", report["url"].rpartition(":")[2])

    assert client.get(f"{report['url']}/api/v1/TrainingCertificate/{osid}").json()["osid"] == osid
    assert client.post(f"{report['url']}/api/v1/PublicKey/search", json={"filters": {}}).json() == keys
    assert all(json.loads(line) for line in data.read_text().splitlines())


def test_platform_reads_its_file_and_saves_what_is_added(
    start_child: StartChild, client: httpx.Client, tmp_path: Path
) -> None:
    data = tmp_path / "platform.json"
    data.write_text(json.dumps({"users": {"u-1": {"firstName": "Asha"}}}))
    process, report = start_child("platform.platform_api", "--data", str(data))
    client.put(f"{report['url']}/_contents", json={"do_1": {"name": "Fractions"}}).raise_for_status()
    process.kill()
    process.communicate()

    _, report = start_child("platform.platform_api", "--data", str(data))

    user = client.get(f"{report['url']}/learner/private/user/v1/read/u-1").json()
    content = client.get(f"{report['url']}/content/content/v4/read/do_1?fields=name").json()
    assert user["result"]["response"]["firstName"] == "Asha"
    assert content["result"]["content"] == {"identifier": "do_1", "name": "Fractions"}
