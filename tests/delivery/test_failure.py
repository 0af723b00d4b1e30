import json
from pathlib import Path

import pytest

from lern_tasks.delivery import record as records
from lern_tasks.delivery.failure import Failure, failure_of
from lern_tasks.delivery.record import Record
from lern_tasks.errors import InvalidEvent, LernError, RefusedByService, TransientError

RECORD = Record(value='{"name": "Asha Rao"}', topic="t")


def failure(error: BaseException, record: Record = RECORD) -> Failure:
    try:
        raise error
    except type(error) as raised:
        return failure_of(raised, job="merge", record=record, now_ms=5000, task_id="id")


def test_an_error_of_ours_keeps_its_code_and_words() -> None:
    found = failure(RefusedByService("registry refused the certificate"))
    assert (found.code, found.error, found.exception) == (
        "REFUSED",
        "registry refused the certificate",
        "RefusedByService",
    )
    assert (found.job, found.task_id) == ("merge", "id")


def test_the_field_is_named_once() -> None:
    assert failure(InvalidEvent("is missing", "edata.userId")).error == "is missing (field edata.userId)"
    assert failure(InvalidEvent("edata.userId is missing", "edata.userId")).error == "edata.userId is missing"


def test_attempts_and_times_count_all_runs() -> None:
    fresh = failure(TransientError("slow"))
    assert (fresh.attempts, fresh.first_failed_ms, fresh.last_failed_ms) == (1, 5000, 5000)
    spent = failure(TransientError("slow"), RECORD.next(attempt=5, not_yet=2, first_failed_ms=0))
    assert (spent.attempts, spent.first_failed_ms, spent.last_failed_ms) == (8, 0, 5000)


def test_a_bug_tells_its_class_and_place_and_quotes_nothing() -> None:
    found = failure(KeyError("Asha Rao"))
    assert found.code == "BUG"
    assert found.exception == "KeyError"
    assert found.error.startswith("unexpected KeyError at test_failure.py:")
    assert "Asha" not in repr(found)


def test_a_class_of_a_library_is_named_with_its_module() -> None:
    found = failure(json.JSONDecodeError("x", "Asha Rao", 0))
    assert found.exception == "json.decoder.JSONDecodeError"
    assert "Asha" not in repr(found)


def test_the_trace_ends_with_the_innermost_cause() -> None:
    def low() -> None:
        raise ValueError("Asha Rao")

    def high() -> None:
        try:
            low()
        except ValueError as error:
            raise LernError("wrong") from error

    with pytest.raises(LernError) as raised:
        high()
    lines = failure_of(raised.value, job="j", record=RECORD, now_ms=0, task_id=None).trace.splitlines()
    assert lines[0] == "lern_tasks.errors.LernError"
    assert "caused by ValueError" in lines
    assert lines[-1].endswith("in low")
    assert "Asha" not in "\n".join(lines)


def test_a_cause_that_was_set_aside_stays_out() -> None:
    def replaced() -> None:
        try:
            raise ValueError
        except ValueError:
            raise LernError("wrong") from None

    with pytest.raises(LernError) as raised:
        replaced()
    assert "ValueError" not in failure_of(raised.value, job="j", record=RECORD, now_ms=0, task_id=None).trace


def test_a_deep_trace_keeps_its_last_twenty_lines() -> None:
    def deep(levels: int) -> None:
        if not levels:
            raise RuntimeError
        deep(levels - 1)

    with pytest.raises(RuntimeError) as raised:
        deep(200)
    lines = failure_of(raised.value, job="j", record=RECORD, now_ms=0, task_id=None).trace.splitlines()
    assert len(lines) == 20
    assert lines[-1].endswith("in deep")


def test_files_are_named_from_their_package_on() -> None:
    with pytest.raises(TypeError) as raised:
        Record.from_wire({})
    trace = failure_of(raised.value, job="j", record=RECORD, now_ms=0, task_id=None).trace
    assert "  lern_tasks/delivery/record.py:" in trace
    assert str(Path(records.__file__).parent) not in trace


def test_an_error_never_raised_has_no_place() -> None:
    found = failure_of(ValueError("Asha Rao"), job="j", record=RECORD, now_ms=0, task_id=None)
    assert found.error == "unexpected ValueError at an unknown place"


def test_a_long_message_is_cut() -> None:
    assert len(failure(LernError("x" * 5000)).error) == 1000
