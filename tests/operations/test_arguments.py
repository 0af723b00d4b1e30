"""Arguments that a person typed, of every task that people trigger."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lern_tasks.errors import InvalidArgument
from lern_tasks.operations import arguments
from lern_tasks.operations.missing_certificates import sweep_missing_certificates
from lern_tasks.operations.reconcile import reconcile_batch, reconcile_enrolment
from lern_tasks.operations.reissue import issue_batch, reissue_certificate
from tests.delivery.resumable.long_tasks import LongTasks
from tests.harness.in_process import Chain

TASKS = (reconcile_enrolment, reconcile_batch, reissue_certificate, issue_batch, sweep_missing_certificates)

KEY = {"user_id": "u1", "course_id": "do_c1", "batch_id": "b1"}
BATCH = {"course_id": "do_c1", "batch_id": "b1"}


@pytest.mark.parametrize(
    ("name", "kwargs", "text"),
    [
        ("lern.reconcile_enrolment", {**KEY, "user_id": " "}, "argument.user_id is blank; send the id as text"),
        ("lern.reconcile_enrolment", {**KEY, "course_id": 7}, "argument.course_id is a number; send the id as text"),
        ("lern.reconcile_enrolment", {**KEY, "batch_id": None}, "argument.batch_id is null; send the id as text"),
        ("lern.reconcile_enrolment", BATCH, "missing a required argument: 'user_id'"),
        ("lern.reconcile_enrolment", {**KEY, "user": "u1"}, "it takes user_id, course_id, batch_id"),
        ("lern.reconcile_batch", {**BATCH, "course_id": ["do_c1"]}, "argument.course_id is a list"),
        ("lern.reconcile_batch", {**BATCH, "batch_id": "b\0"}, "argument.batch_id is text with a NUL character"),
        ("lern.reissue_certificate", {**KEY, "batch_id": {}}, "argument.batch_id is an object"),
        ("lern.issue_batch", {**BATCH, "dry_run": "false"}, "argument.dry_run is text; send true or false"),
        ("lern.issue_batch", {**BATCH, "dry_run": 0}, "argument.dry_run is a number; send true or false"),
        ("lern.sweep_missing_certificates", {}, "missing a required argument: 'since'"),
        ("lern.sweep_missing_certificates", {"since": "yesterday"}, "argument.since is no date"),
        ("lern.sweep_missing_certificates", {"since": 20260131}, "argument.since is a number; send a date"),
        ("lern.sweep_missing_certificates", {"since": "9999-01-01"}, "lies in the future"),
        ("lern.sweep_missing_certificates", {"since": "2024-01-01", "fix": "yes"}, "argument.fix is text"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_happens(
    chain: Chain, name: str, kwargs: dict[str, Any], text: str
) -> None:
    tasks = LongTasks(chain, *TASKS)
    with pytest.raises(InvalidArgument, match=text):
        tasks.finish(name, **kwargs)
    assert not chain.sender.sent
    assert not chain.published.messages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        (" 2026-01-31T05:30:00+05:30", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
    ],
)
def test_moments(text: str, expected: datetime) -> None:
    assert arguments.moment("since", text) == expected


@pytest.mark.parametrize("value", ["", "0001-01-01T00:00:00+05:30", "31.1.2026", None, True])
def test_what_is_no_moment(value: object) -> None:
    with pytest.raises(InvalidArgument, match=r"argument\.since is"):
        arguments.moment("since", value)
