"""The request for a course's relation cache, as records ask for it that find none."""

import json
from pathlib import Path

import pytest

from lern_tasks.delivery.record import Record
from lern_tasks.delivery.task_sender import derived_id
from lern_tasks.jobs.relations.events import PublishEvent, parse
from lern_tasks.jobs.relations.refresh_request import relations_request
from tests.harness.fake_resources import FakeResources
from tests.harness.processes import settings_of

WAITING = Record(
    value='{"edata": {"userId": "u1", "courseId": "do_1", "batchId": "b1"}}',
    topic="dev.coursebatch.job.request",
    partition=1,
    offset=17,
    bulk=True,
)


@pytest.fixture
def ctx(tmp_path: Path) -> FakeResources:
    return FakeResources(settings_of({}), tmp_path)


def test_it_is_an_event_of_the_relation_cache_updater(ctx: FakeResources) -> None:
    relations_request("do_1").ask(ctx, WAITING)
    (sent,) = ctx.sent.sent
    assert sent.job == "relation_cache_updater"
    (record,) = sent.records
    assert (record.first_origin, sent.queue) == (WAITING.coordinates, None)
    assert (record.topic, record.key) == ("dev.content.postpublish.request", "do_1")
    assert json.loads(record.value or "") == {
        "eid": "BE_JOB_REQUEST",
        "ets": ctx.time_ms,
        "edata": {
            "action": "relation-cache-update",
            "identifier": "do_1",
            "mimeType": "application/vnd.ekstep.content-collection",
            "userId": "u1",
            "batchId": "b1",
        },
    }
    parsed = parse(record.value)
    assert isinstance(parsed, PublishEvent)
    assert parsed.root_id == "do_1"


def test_it_goes_to_the_topic_where_a_flink_job_takes_it(tmp_path: Path) -> None:
    ctx = FakeResources(settings_of({"LERN_RELATION_CACHE_UPDATER__HAND_OFF": "kafka"}), tmp_path)
    relations_request("do_1").ask(ctx, WAITING)
    (message,) = ctx.published.to("dev.content.postpublish.request")
    assert (message.key, b'"identifier":"do_1"' in (message.value or b"")) == (b"do_1", True)
    assert not ctx.sent.sent


def test_it_is_made_once_a_minute_for_each_course_and_is_a_task_of_its_own_each_time(ctx: FakeResources) -> None:
    state = ctx.redis.client("state")
    for course in ("do_1", "do_1", "do_2"):
        relations_request(course).ask(ctx, WAITING)
    assert [sent.records[0].key for sent in ctx.sent.sent] == ["do_1", "do_2"]
    assert sorted(state.keys("lern:once:*")) == ["lern:once:relations:do_1", "lern:once:relations:do_2"]
    assert 0 < state.ttl("lern:once:relations:do_1") <= 60
    first = ctx.time_ms
    ctx.time_ms += 61_000
    state.delete("lern:once:relations:do_1")
    relations_request("do_1").ask(ctx, WAITING)
    origin = (WAITING.topic, WAITING.partition, WAITING.offset)
    assert [sent.task_id for sent in ctx.sent.sent if sent.records[0].key == "do_1"] == [
        derived_id("relation_cache_updater", f"relations:do_1:{at}", *origin) for at in (first, ctx.time_ms)
    ]
