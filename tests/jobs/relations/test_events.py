"""Events of published collections."""

import json
from typing import Any

import pytest

from lern_tasks.delivery.batch import Skipped
from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.relations.events import PublishEvent, parse

ETS = 1_649_170_015_935


def event(**edata: Any) -> str:
    """An event as the platform sends it when a course is published, with these fields of `edata` replaced."""
    return json.dumps(
        {
            "eid": "BE_JOB_REQUEST",
            "ets": ETS,
            "mid": "LP.1649170015935.2a7382ff-8bc9-4ff5-8620-2d467cf8990a",
            "actor": {"id": "Post Publish Processor", "type": "System"},
            "context": {"pdata": {"ver": "1.0", "id": "org.sunbird.platform"}, "channel": "01", "env": "staging"},
            "object": {"ver": "1649169952265", "id": "do_c1"},
            "edata": {
                "action": "post-publish-process",
                "iteration": 1,
                "identifier": "do_c1",
                "mimeType": "application/vnd.ekstep.content-collection",
                "contentType": "Course",
                "pkgVersion": 1,
                "status": "Live",
                "trackable": {"enabled": "Yes", "autoBatch": "No"},
                **edata,
            },
        }
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "relation-cache-update"},
        {"mimeType": "Application/Vnd.Ekstep.Content-Collection"},
        {"status": "Retired", "pkgVersion": None, "contentType": 5},
    ],
)
def test_a_published_collection(fields: dict[str, Any]) -> None:
    assert parse(event(**fields)) == PublishEvent(root_id="do_c1", ets=ETS)


@pytest.mark.parametrize("action", ["Post-Publish-Process", "publish-complete", "", None, 5, ["post-publish-process"]])
def test_another_action_is_skipped_and_its_case_matters(action: Any) -> None:
    assert parse(event(action=action, identifier=None)) == Skipped(reason="another action")


@pytest.mark.parametrize("mime_type", ["video/mp4", "", None, 5, ["application/vnd.ekstep.content-collection"]])
def test_what_is_no_collection_is_skipped(mime_type: Any) -> None:
    assert parse(event(mimeType=mime_type, identifier=None)) == Skipped(reason="not a collection")


@pytest.mark.parametrize("identifier", [None, "", " ", 5, ["do_c1"], "do\x00", "x" * 70_000])
def test_a_collection_without_usable_id_is_invalid(identifier: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse(event(identifier=identifier))
    assert caught.value.field == "edata.identifier"


@pytest.mark.parametrize("value", [None, "", "not json", "[]", "null", "{}", '{"edata": null}', '{"edata": "x"}'])
def test_what_is_no_job_event_is_invalid(value: str | None) -> None:
    with pytest.raises(InvalidEvent):
        parse(value)


def test_the_id_is_that_of_edata_not_of_the_object() -> None:
    assert parse(event(identifier="do_c2")) == PublishEvent(root_id="do_c2", ets=ETS)
