"""Whatever a job emits has a reader: a route of ours, or one that is named in docs/operations.md."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.routes import routes
from lern_tasks.catalogue import EventJob
from lern_tasks.delivery.batch import Skipped
from lern_tasks.jobs.accounts import events as merge_user_courses
from lern_tasks.jobs.assessments import events as assessment_aggregator
from lern_tasks.jobs.certificates.eligibility import events as collection_cert_pre_processor
from lern_tasks.jobs.certificates.issuing import events as collection_certificate_generator
from lern_tasks.jobs.progress import events as activity_aggregate_updater
from lern_tasks.jobs.relations import events as relation_cache_updater
from lern_tasks.jobs.users import events as user_cache_updater
from lern_tasks.operations.topics import needed_topics
from lern_tasks.settings import load
from tests.harness.emissions import emissions
from tests.harness.fixtures import MakeChain

PARSERS: dict[EventJob, Callable[[str | None], Any]] = {
    "relation_cache_updater": relation_cache_updater.parse,
    "activity_aggregate_updater": activity_aggregate_updater.parse,
    "assessment_aggregator": assessment_aggregator.parse,
    "enrolment_reconciliation": activity_aggregate_updater.parse_reconcile,
    "merge_user_courses": merge_user_courses.parse,
    "collection_cert_pre_processor": collection_cert_pre_processor.parse,
    "collection_certificate_generator": collection_certificate_generator.parse,
    "user_cache_updater": user_cache_updater.parse,
}

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def outside_readers() -> dict[str, str]:
    """Topic to reader, from the table in docs/operations.md."""
    lines = OPERATIONS.read_text("utf-8").partition("## Topics that others read")[2].partition("\n## ")[0].splitlines()
    cells = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| `")]
    return {topic: reader for topic, reader, *_ in cells}


def test_every_topic_that_is_written_has_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LERN_ENV", "{env}")
    settings = load()
    read = {route.topic for route in routes(settings)}
    written = {topic.name for topic in needed_topics(settings) if set(topic.roles) - {"input"}}
    assert written - read == outside_readers().keys()
    assert all(outside_readers().values())


def test_every_event_that_is_emitted_is_understood_by_its_reader(make_chain: MakeChain) -> None:
    settings = load()
    readers = {route.topic: route.job for route in routes(settings)}
    audit = settings.topic("{env}.telemetry.raw")
    emitted = emissions(make_chain)
    assert {event.topic for event in emitted} == {
        settings.topic(name)
        for name in (
            "{env}.issue.certificate.request",
            "{env}.generate.certificate.request",
            "{env}.batch.enrolment.sync.request",
            "{env}.coursebatch.job.request",
            "{env}.telemetry.raw",
        )
    }
    for event in emitted:
        if event.topic == audit:
            assert json.loads(event.value)["eid"] == "AUDIT"
        else:
            parsed = PARSERS[readers[event.topic]](event.value)
            assert not isinstance(parsed, Skipped), (event.topic, parsed)
