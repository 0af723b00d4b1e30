"""Whatever a job emits has a reader: a route of ours, or one that is named in docs/operations.md."""

import json
from pathlib import Path

import pytest

from bridge.routes import routes
from lern_tasks.delivery.batch import Skipped
from lern_tasks.operations.topics import needed_topics
from lern_tasks.settings import load
from tests.harness.emissions import emissions
from tests.harness.fixtures import MakeChain
from tests.harness.samples import parser_of

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
            parsed = parser_of(readers[event.topic])(event.value)
            assert not isinstance(parsed, Skipped), (event.topic, parsed)
