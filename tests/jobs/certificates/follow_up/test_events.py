"""Our own events about an issued certificate."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.follow_up.events import FollowUpEvent, parse
from tests.harness.malformed import json_values, texts
from tests.jobs.certificates.rules.certificates import KEY

TOLD = FollowUpEvent(
    user_id="u-42",
    course_id="do_9001",
    batch_id="0139000000000001",
    certificate_id="1-9",
    template_id="tpl_7",
    course_name='Say "hi"',
    completed_on="2024-02-29",
)


def test_there_and_back() -> None:
    assert parse(json.dumps(TOLD.to_event())) == TOLD
    assert TOLD.key == KEY


def test_a_deletion_needs_ids_alone() -> None:
    ids = {name: getattr(TOLD, name) for name in ("user_id", "course_id", "batch_id", "certificate_id")}
    assert parse(json.dumps(ids)) == FollowUpEvent(**ids)


@pytest.mark.parametrize("value", [None, "", 5, ["x"], "a\0", "x" * 1_001])
@pytest.mark.parametrize("name", ["user_id", "course_id", "batch_id", "certificate_id"])
def test_an_id_that_is_missing_is_named(name: str, value: Any) -> None:
    with pytest.raises(InvalidEvent, match=name):
        parse(json.dumps({**TOLD.to_event(), name: value}))


NAMES = list(TOLD.to_event())
replaced = st.dictionaries(st.sampled_from(NAMES), json_values(NAMES), max_size=2)


@given(texts({}, names=NAMES) | replaced.map(lambda fields: json.dumps({**TOLD.to_event(), **fields})))
def test_any_text_is_read_or_refused(value: str) -> None:
    try:
        found = parse(value)
    except InvalidEvent:
        return
    assert found.certificate_id
