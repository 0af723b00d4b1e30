"""`lern doctor` as a whole; what it says of single jobs is in test_doctor_jobs.py, of Redis in test_doctor_redis.py."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from lern_tasks.cli.doctor.command import examine
from lern_tasks.cli.doctor.finding import Check, Finding, ok, problem
from lern_tasks.settings import Settings
from tests.cli.conftest import Healthy, Lern


def test_a_healthy_installation_has_nothing_to_do(healthy: Healthy) -> None:
    status, findings = healthy.doctor()
    assert [finding for finding in findings if finding["level"] != "ok"] == []
    assert status == 0
    checked = {finding["check"] for finding in findings}
    assert {"kafka", "topics", "settings", "cassandra", "files", "workers", "clock redis"} <= checked
    assert {"relation cache", "registry", "search", "content", "users", "user profiles"} <= checked
    assert {"redis broker", "redis results", "redis state", "redis dedup", "redis users"} <= checked


def test_one_that_is_away_does_not_hide_the_others(healthy: Healthy) -> None:
    healthy.registry.stop()
    bad = healthy.bad(LERN_REDIS__DEDUP="redis://127.0.0.1:9/13")
    dedup = bad.pop(("redis dedup", "activity_aggregate_updater", "enrolment_reconciliation"))
    registry = bad.pop(("registry", "collection_certificate_generator"))
    assert not bad
    assert "127.0.0.1:9/13" in dedup["result"]
    assert "LERN_REDIS__DEDUP" in dedup["to_do"]
    assert "LERN_COLLECTION_CERTIFICATE_GENERATOR__SERVICE_RC_BASEPATH" in registry["to_do"]


def test_the_exit_status_is_one_when_something_is_to_be_done(healthy: Healthy) -> None:
    assert healthy.doctor(LERN_REDIS__DEDUP="redis://127.0.0.1:9/13")[0] == 1


def test_missing_topics_come_with_the_command_that_makes_them(healthy: Healthy) -> None:
    bad = healthy.bad(LERN_ENV="staging")
    assert {check for check, *_ in bad} == {"topics"}
    assert (
        "staging.coursebatch.job.request" in bad["topics", "activity_aggregate_updater", "merge_user_courses"]["result"]
    )
    assert "staging.lern.tasks.failed" in bad["topics",]["result"]
    assert {finding["to_do"] for finding in bad.values()} == {"lern topics create"}


def test_a_kafka_that_is_away(healthy: Healthy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lern_tasks.cli.kafka_admin.TIMEOUT", 0.3)
    found = healthy.bad(LERN_KAFKA__BROKERS="127.0.0.1:9")
    assert found.keys() == {("kafka",)}
    assert "LERN_KAFKA__BROKERS" in found["kafka",]["to_do"]


def test_wrong_settings_are_a_finding(lern_command: Lern) -> None:
    result = lern_command("doctor", "--json", LERN_KAFKA__DELIVERY_TIMEOUT="soon")
    assert result.exit_code == 1
    (finding,) = json.loads(result.output)
    assert "LERN_KAFKA__DELIVERY_TIMEOUT" in finding["result"]


def test_no_secret_is_printed(healthy: Healthy) -> None:
    secrets = {
        "LERN_REDIS__DEDUP": "redis://user:hush-hush@127.0.0.1:9/13",
        "LERN_REDIS__RELATION_CACHE": "redis://:hush-hush@127.0.0.1:9/10",
        "LERN_ENROLMENT_RECONCILIATION__REDIS_DATABASE_RELATIONCACHE_ID": "3",
        "LERN_FILES__URL": "nothing://key:hush-hush@bucket",
        "LERN_COLLECTION_CERT_PRE_PROCESSOR__SERVICE_CONTENT_BASEPATH": "http://user:hush-hush@127.0.0.1:9",
        "LERN_USER_CACHE_UPDATER__USER_READ_API_URL": "ftp://user:hush-hush@127.0.0.1:9",
    }
    for options in ((), ("--json",)):
        result = healthy.lern("doctor", *options, **secrets)
        assert result.exit_code == 1
        assert "hush-hush" not in result.output


def test_the_table_is_grouped_by_job(healthy: Healthy) -> None:
    lines = [line.strip() for line in healthy.lern("doctor").output.splitlines() if line.strip()]
    assert lines[0] == "every job"
    groups = [line for line in lines if " " not in line]
    assert groups[-1] == "user_cache_updater"
    after = lines[lines.index("user_cache_updater") + 1 :]
    assert [line.split("  ")[0] for line in after] == [
        *["redis users"] * 3,
        *["redis anonymous_users"] * 3,
        "user profiles",
        "0 problems, 0 warnings",
    ]


def test_a_check_that_fails_or_hangs_ends_none_of_the_others() -> None:
    released = threading.Event()

    def hangs(_: Settings) -> list[Finding]:
        released.wait(60)
        return []

    def fails(_: Settings) -> list[Finding]:
        raise ZeroDivisionError("at redis://u:hush-hush@host")

    checks = [
        Check(name="hanging", look=hangs, why="it matters"),
        Check(name="failing", look=fails, why="it matters"),
        Check(name="fine", look=lambda _: [ok("fine", "good")], why="it matters"),
    ]
    began = time.monotonic()
    findings = examine(Settings.model_construct(), checks, 0.5)
    released.set()
    assert time.monotonic() - began < 10
    assert [(f.check, f.level) for f in findings] == [("hanging", "problem"), ("failing", "problem"), ("fine", "ok")]
    assert [f.why for f in findings] == ["it matters", "it matters", ""]
    assert "ZeroDivisionError" in findings[1].result
    assert "hush-hush" not in findings[1].result


def test_findings_are_grouped_by_job_and_else_in_the_order_of_their_checks() -> None:
    def look(_: Settings) -> list[Finding]:
        return [
            problem("last", "", "", jobs=("user_cache_updater",)),
            problem("shared", "", "", jobs=("activity_aggregate_updater", "enrolment_reconciliation")),
            problem("own", "", "", jobs=("activity_aggregate_updater",)),
            problem("all", "", ""),
        ]

    checks = [
        Check(name="first", look=look, why=""),
        Check(name="second", look=lambda _: [ok("of a job", "")], why="", jobs=("activity_aggregate_updater",)),
    ]
    found = examine(Settings.model_construct(), checks, 10)
    assert [finding.check for finding in found] == ["all", "own", "of a job", "shared", "last"]


@contextmanager
def black_hole() -> Iterator[int]:
    """A port where connections are neither accepted nor refused: its queue is full."""
    with ExitStack() as opened:
        server = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port: int = server.getsockname()[1]
        for _ in range(3):
            filler = opened.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        yield port


@pytest.mark.slow
def test_hosts_that_never_answer_cost_seconds(lern_command: Lern) -> None:
    with black_hole() as port:
        where = f"http://127.0.0.1:{port}"
        services = {
            "ACTIVITY_AGGREGATE_UPDATER__SERVICE_SEARCH_BASEPATH": where,
            "ENROLMENT_RECONCILIATION__SERVICE_SEARCH_BASEPATH": where,
            "COLLECTION_CERT_PRE_PROCESSOR__SERVICE_CONTENT_BASEPATH": where,
            "COLLECTION_CERT_PRE_PROCESSOR__SERVICE_LEARNER_BASEPATH": where,
            "COLLECTION_CERTIFICATE_GENERATOR__SERVICE_RC_BASEPATH": where,
            "USER_CACHE_UPDATER__USER_READ_API_URL": where,
            "KAFKA__BROKERS": f"127.0.0.1:{port}",
            "REDIS__URL": f"redis://127.0.0.1:{port}",
            "CASSANDRA__HOSTS": "127.0.0.1",
            "CASSANDRA__PORT": str(port),
        }
        began = time.monotonic()
        result = lern_command("doctor", "--json", **{f"LERN_{name}": value for name, value in services.items()})
        took = time.monotonic() - began
    assert result.exit_code == 1
    late = [finding for finding in json.loads(result.output) if finding["result"].startswith("no answer within 30 s")]
    assert not late
    assert took < 25, f"{took:.1f} s"
