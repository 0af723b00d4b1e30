"""Redis over TLS: a worker on a server that is behind `rediss://`, and nobody who speaks plain text to it."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from lern_tasks.cli.doctor import redis as doctor
from lern_tasks.cli.doctor.redis_uses import uses
from lern_tasks.delivery.record import Record
from lern_tasks.settings import load
from tests.harness.processes import System
from tests.harness.tcp_proxy import TcpProxy
from tests.harness.waiting import wait_until
from tests.servers.ports import free_ports
from tests.servers.redis import RedisServer
from tests.servers.server import StackError

pytestmark = [pytest.mark.slow, pytest.mark.stack]

TLS_HANDSHAKE = 22


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """The folder with a certificate for 127.0.0.1, which is its own authority."""
    if shutil.which("openssl") is None:
        pytest.skip("no `openssl` to make a certificate with")
    how = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=redis -addext subjectAltName=IP:127.0.0.1"
    files: list[str | Path] = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "ca.pem"]
    subprocess.run(["openssl", *how.split(), *files], check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def plain_and_tls(certificate: Path, redis_server: object) -> Iterator[tuple[RedisServer, TcpProxy]]:
    """A Redis that takes TLS on a second port, and a relay before that port which sees how clients begin."""
    del redis_server
    files = {"tls_cert_file": "ca.pem", "tls_key_file": "key.pem", "tls_ca_cert_file": "ca.pem"}
    paths = {name: str(certificate / file) for name, file in files.items()}
    (port,) = free_ports(1)
    server = RedisServer(certificate / "redis", tls_port=str(port), tls_auth_clients="no", **paths)
    try:
        server.start()
    except StackError as error:
        if "tls-port" not in str(error):
            raise
        pytest.skip("this redis-server was built without TLS")
    relay = TcpProxy(f"127.0.0.1:{port}")
    relay.start()
    yield server, relay
    relay.stop()
    server.stop()


def test_a_worker_processes_a_message_and_nobody_speaks_plain_text(
    plain_and_tls: tuple[RedisServer, TcpProxy], certificate: Path
) -> None:
    _, relay = plain_and_tls
    url = f"rediss://{relay.address}?ssl_ca_certs={certificate / 'ca.pem'}"
    system = System(certificate, {"LERN_REDIS__URL": url, "LERN_STORE": f"sqlite:{certificate / 'store.sqlite'}"})
    try:
        system.start_worker(queues="activity-aggregate-updater", concurrency=1)
        record = Record(value='{"edata": {"action": "another"}}', topic="dev.test")
        system.ctx.sender.send("activity_aggregate_updater", [record], task_id="over-tls")
        wait_until(lambda: "task_id=over-tls" in system.logs(), seconds=60, what="the task's end")
        results = system.settings.redis_address("results")
        kept = doctor.connect(results.url).get("celery-task-meta-over-tls")
        assert '"status": "SUCCESS"' in wait_until(lambda: kept, seconds=10, what="its result")
        with patch.dict("os.environ", system.env):
            found = [finding for use in uses(system.settings, ()) for finding in doctor._check(use, system.settings)]
        assert not [finding for finding in found if "does not answer" in finding.result]
    finally:
        system.stop()
    assert relay.first_bytes
    assert set(relay.first_bytes) == {TLS_HANDSHAKE}


def test_doctor_says_what_is_wrong_with_the_certificate(plain_and_tls: tuple[RedisServer, TcpProxy]) -> None:
    _, relay = plain_and_tls
    address = relay.address.replace("127.0.0.1", "localhost")
    with patch.dict("os.environ", {"LERN_REDIS__URL": f"rediss://{address}"}):
        settings = load()
    (use,) = (use for use in uses(settings, ()) if use.role == "broker")
    (finding,) = doctor._check(use, settings)
    assert finding.level == "problem"
    assert "CERTIFICATE_VERIFY_FAILED" in finding.result
