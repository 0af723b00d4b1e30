"""What `lern doctor` looks at for which job, and what it leaves alone."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.publisher import bare_app
from lern_tasks import catalogue as topics
from lern_tasks.catalogue import EventJob
from lern_tasks.cli.doctor import cassandra, workers
from lern_tasks.cli.doctor.all import checks
from lern_tasks.cli.doctor.finding import Jobs
from lern_tasks.demo.platform.old_registry import OldRegistry
from lern_tasks.settings import Settings
from tests.cli.conftest import Healthy, Lern
from tests.harness.waiting import wait_until

_AWAY = "http://127.0.0.1:9"
_GENERATOR = "LERN_COLLECTION_CERTIFICATE_GENERATOR__"
_USERS = "LERN_USER_CACHE_UPDATER__"


@pytest.mark.parametrize(
    ("check", "job", "variable"),
    [
        ("search", "activity_aggregate_updater", "SERVICE_SEARCH_BASEPATH"),
        ("search", "enrolment_reconciliation", "SERVICE_SEARCH_BASEPATH"),
        ("content", "collection_cert_pre_processor", "SERVICE_CONTENT_BASEPATH"),
        ("users", "collection_cert_pre_processor", "SERVICE_LEARNER_BASEPATH"),
        ("users", "collection_certificate_generator", "SERVICE_LEARNER_BASEPATH"),
        ("registry", "collection_certificate_generator", "SERVICE_RC_BASEPATH"),
        ("user profiles", "user_cache_updater", "USER_READ_API_URL"),
    ],
)
def test_each_service_is_looked_at_where_its_job_asks_for_it(
    healthy: Healthy, check: str, job: str, variable: str
) -> None:
    variable = f"LERN_{job.upper()}__{variable}"
    for value in (_AWAY, "no address"):
        bad = healthy.bad(**{variable: value})
        assert bad.keys() == {(check, job)}
        assert variable in bad[check, job]["to_do"]


def test_the_content_service_of_exams_only_when_questions_are_counted(healthy: Healthy) -> None:
    prefix = "LERN_ASSESSMENT_AGGREGATOR__"
    away = {
        f"{prefix}CONTENT_READ_API": _AWAY,
        f"{prefix}REDIS_META_HOST": "127.0.0.1",
        f"{prefix}REDIS_META_PORT": "9",
    }
    assert healthy.bad(**away) == {}
    bad = healthy.bad(**away, **{f"{prefix}ASSESSMENT_SKIP_MISSINGRECORDS": "true"})
    assert bad.keys() == {("question count", "assessment_aggregator"), ("redis metadata", "assessment_aggregator")}
    assert f"{prefix}CONTENT_READ_API" in bad["question count", "assessment_aggregator"]["to_do"]
    assert "lern settings assessment_aggregator" in bad["redis metadata", "assessment_aggregator"]["to_do"]


@pytest.mark.parametrize("fields", ["dynamic", "both"])
def test_the_framework_service_only_for_dynamic_fields(healthy: Healthy, fields: str) -> None:
    away = {f"{_USERS}SERVICE_TAXONOMY_BASEPATH": _AWAY}
    assert healthy.bad(**away) == {}
    bad = healthy.bad(**away, **{f"{_USERS}FRAMEWORK_FIELDS": fields})
    assert bad.keys() == {("frameworks", "user_cache_updater")}


def test_the_old_index_only_when_there_is_one(healthy: Healthy) -> None:
    bad = healthy.bad(**{f"{_GENERATOR}ES_BASEPATH": "127.0.0.1:9"})
    assert bad.keys() == {("search index", "collection_certificate_generator")}


def test_a_registry_without_key_is_found(healthy: Healthy) -> None:
    healthy.registry.switches.key_search = "empty"
    assert "key" in healthy.bad()["registry", "collection_certificate_generator"]["result"]


def test_without_the_registry_its_place_is_looked_at(healthy: Healthy, tmp_path: Path) -> None:
    healthy.registry.stop()
    bad = healthy.bad(
        **{
            f"{_GENERATOR}ENABLE_RC_CERTIFICATE": "false",
            f"{_GENERATOR}SERVICE_CERTREG_BASEPATH": _AWAY,
            f"{_GENERATOR}SERVICE_ENC_BASEPATH": _AWAY,
        }
    )
    assert {check for check, *_ in bad} == {"certificate files", "old registry", "signing"}
    job = "collection_certificate_generator"
    assert f"{_GENERATOR}CERT_CONTAINER_NAME" in bad["certificate files", job]["result"]
    assert f"{_GENERATOR}SERVICE_CERTREG_BASEPATH" in bad["old registry", job]["to_do"]
    assert f"{_GENERATOR}SERVICE_ENC_BASEPATH" in bad["signing", job]["to_do"]
    with OldRegistry() as old:
        settings = {
            "ENABLE_RC_CERTIFICATE": "false",
            "CERT_DOMAIN_URL": "https://dev.sunbirded.org",
            "CERT_CONTAINER_NAME": (tmp_path / "certs").as_uri(),
            "SERVICE_CERTREG_BASEPATH": old.registry_url,
            "SERVICE_ENC_BASEPATH": old.url,
        }
        assert healthy.bad(**{f"{_GENERATOR}{name}": value for name, value in settings.items()}) == {}
    assert list((tmp_path / "certs").iterdir()) == []


def test_one_job_is_not_bothered_with_what_others_need(healthy: Healthy) -> None:
    healthy.registry.stop()
    healthy.platform.stop()
    elsewhere = {
        "LERN_REDIS__USERS": "redis://127.0.0.1:9/12",
        "LERN_REDIS__DEDUP": "redis://127.0.0.1:9/13",
        "LERN_RELATION_CACHE_UPDATER__REDIS_DATABASE_INDEX": "7",
        "LERN_ACTIVITY_AGGREGATE_UPDATER__THRESHOLD_BATCH_READ_INTERVAL": "60",
        "LERN_ACTIVITY_AGGREGATE_UPDATER__KAFKA_INPUT_TOPIC": "not.there",
    }
    assert healthy.bad("--job", "assessment-aggregator", **elsewhere) == {}
    assert len(healthy.bad(**elsewhere)) > 8


def test_jobs_are_named_with_dashes_or_underscores_and_checked(lern_command: Lern) -> None:
    result = lern_command("doctor", "--job", "certificate_notification")
    assert result.exit_code == 2
    assert "merge_user_courses" in result.output


def test_settings_without_effect_are_named_with_their_job(healthy: Healthy) -> None:
    variable = "LERN_ACTIVITY_AGGREGATE_UPDATER__THRESHOLD_BATCH_READ_INTERVAL"
    found = healthy.bad(**{variable: "60"})["settings", "activity_aggregate_updater"]
    assert variable in found["result"]
    assert found["to_do"] == f"unset {variable}"


def _tables(settings: Settings, jobs: Jobs, check: str) -> set[str]:
    return {entry.table.full_name for entry in cassandra.wanted(settings, jobs) if entry.check == check}


@pytest.mark.parametrize(
    ("job", "tables"),
    [
        ("relation_cache_updater", {"dev_hierarchy_store.content_hierarchy"}),
        ("assessment_aggregator", {"sunbird_courses.assessment_aggregator", "sunbird_courses.user_activity_agg"}),
        ("user_cache_updater", set()),
    ],
)
def test_only_the_tables_of_the_jobs_are_compared(job: EventJob, tables: set[str]) -> None:
    assert _tables(Settings(), (job,), "schema") == tables


def test_tables_beside_the_jobs_are_warned_of() -> None:
    assert _tables(Settings(), ("user_cache_updater",), "user tables") == {
        f"sunbird.{name}" for name in ("user", "user_organisation", "organisation", "location", "system_settings")
    }
    assert _tables(Settings(), ("merge_user_courses",), "user tables") == set()
    copied = Settings.model_validate({"tasks": {"use_report_enrolments": True}})
    assert _tables(copied, topics.EVENT_JOBS, "copy by batch") == {"sunbird_courses.report_user_enrolments"}
    assert _tables(Settings(), topics.EVENT_JOBS, "copy by batch") == set()


def test_a_table_names_all_jobs_that_use_it() -> None:
    users = {entry.table.name: entry.jobs for entry in cassandra.wanted(Settings(), topics.EVENT_JOBS)}
    assert users["merge_ledger"] == ("merge_user_courses",)
    assert users["content_hierarchy"] == ("relation_cache_updater",)
    assert users["assessment_aggregator"] == ("assessment_aggregator", "merge_user_courses")


def test_every_check_has_its_own_name_and_says_why_it_matters() -> None:
    found = checks(Settings(), topics.EVENT_JOBS)
    assert len({(check.name, check.jobs) for check in found}) == len(found)
    assert all(check.why for check in found)


Taken = Callable[..., None]


@pytest.fixture
def taken(healthy: Healthy, monkeypatch: pytest.MonkeyPatch) -> Taken:
    """`taken("bulk")`: workers take from these queues and no others."""

    def take(*queues: str) -> None:
        monkeypatch.setattr(workers, "_taken", lambda _: frozenset(queues))

    return take


def test_a_queue_that_nobody_takes_from(healthy: Healthy, taken: Taken) -> None:
    taken(*(set(topics.QUEUES) - {"bulk", "merge-user-courses", "certificate-user-feed"}))
    bad = healthy.bad()
    assert bad.keys() == {
        ("workers",),
        ("workers", "merge_user_courses"),
        ("workers", "collection_certificate_generator"),
    }
    assert bad["workers",]["level"] == "warning"
    assert bad["workers",]["to_do"] == "REMAP_SIGTERM=SIGQUIT celery -A lern_tasks worker -Q bulk"


def test_no_worker_at_all_is_one_warning(healthy: Healthy, taken: Taken) -> None:
    taken()
    assert healthy.bad()["workers",]["to_do"] == "REMAP_SIGTERM=SIGQUIT celery -A lern_tasks worker"
    only = healthy.bad("--job", "user_cache_updater")
    assert only.keys() == {("workers",)}
    assert only["workers",]["to_do"].endswith("worker -Q user-cache-updater,bulk,maintenance")


def test_a_job_that_hands_on_to_one_that_still_runs_in_flink(healthy: Healthy, taken: Taken) -> None:
    taken("assessment-aggregator", "bulk", "maintenance")
    options = ("--job", "assessment_aggregator")
    found = healthy.bad(*options)
    assert found.keys() == {("hand-off", "assessment_aggregator")}
    variable = "LERN_COLLECTION_CERT_PRE_PROCESSOR__HAND_OFF"
    assert f"{variable}=kafka" in found["hand-off", "assessment_aggregator"]["to_do"]
    assert healthy.bad(*options, **{variable: "kafka"}) == {}
    taken("assessment-aggregator", "bulk", "maintenance", "collection-cert-pre-processor")
    assert healthy.bad(*options) == {}


@contextmanager
def _worker(settings: Settings, *queues: str) -> Iterator[None]:
    """Answers as a worker that takes from these queues."""
    app, stop = bare_app(settings), threading.Event()
    connection = app.connection_for_read()
    node = app.control.mailbox.Node(
        "worker@here",
        handlers={"active_queues": lambda *_, **__: [{"name": queue} for queue in queues]},
        channel=connection.default_channel,
    )

    def listen() -> None:
        with node.listen():
            while not stop.is_set():
                try:
                    connection.drain_events(timeout=0.1)
                except TimeoutError:
                    continue

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        connection.release()


def test_workers_are_asked(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_ANSWER", 0.3)
    assert workers._taken(installation) == frozenset()
    there = frozenset({"bulk", "maintenance"})
    with _worker(installation, *there):
        wait_until(lambda: workers._taken(installation) == there, seconds=20, what="a worker answers")


def test_a_broker_that_is_away_is_no_missing_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Settings.model_validate({"redis": {"broker": "redis://127.0.0.1:9/0"}})
    assert workers._taken(away) is None
    assert list(workers.checks(topics.EVENT_JOBS)[0].look(away)) == []
