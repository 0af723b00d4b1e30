"""The routes as documented, and as settings change them."""

import pytest

from bridge.routes import routes
from lern_tasks.catalogue import EVENT_JOBS
from lern_tasks.settings import load


def test_there_is_one_route_for_each_job_that_takes_events() -> None:
    assert [route.job for route in routes(load())] == list(EVENT_JOBS)


def test_defaults_are_those_of_the_deployed_flink_jobs() -> None:
    by_job = {route.job: route for route in routes(load())}

    aggregate = by_job["activity_aggregate_updater"]

    assert aggregate.topic == "dev.coursebatch.job.request"
    assert aggregate.group == "dev-activity-aggregate-group"
    assert aggregate.failed_topic == "dev.activity.agg.failed"
    assert aggregate.task == "lern.activity_aggregate_updater"
    assert aggregate.queue == "activity-aggregate-updater"
    assert aggregate.records == 100
    assert aggregate.time_limit == 120


def test_settings_change_a_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LERN_ENV", "prod")
    monkeypatch.setenv("LERN_ACTIVITY_AGGREGATE_UPDATER__KAFKA_INPUT_TOPIC", "{env}.other")

    by_job = {route.job: route for route in routes(load())}

    assert by_job["activity_aggregate_updater"].topic == "prod.other"
    assert by_job["relation_cache_updater"].topic == "prod.content.postpublish.request"


def test_strict_mode_is_one_record_a_task_on_every_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LERN_BRIDGE__RECORDS_PER_TASK", "1")

    assert {route.records for route in routes(load())} == {1}


def test_the_documented_read_size_caps_the_records_of_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LERN_ACTIVITY_AGGREGATE_UPDATER__THRESHOLD_BATCH_READ_SIZE", "7")

    by_job = {route.job: route for route in routes(load())}

    assert by_job["activity_aggregate_updater"].records == 7
