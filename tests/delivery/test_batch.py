"""The outcome of one record of a batch."""

import pytest

from lern_tasks.delivery.batch import BatchRecord, Failed
from lern_tasks.delivery.record import Record
from lern_tasks.errors import TransientError


def batch_record() -> BatchRecord[str]:
    return BatchRecord(Record(value="{}", topic="dev.test"), delivered_before=False)


def test_an_error_is_the_outcome_of_its_record_alone() -> None:
    one, other = batch_record(), batch_record()
    error = TransientError("too slow")
    for record in (one, other):
        with record.failures():
            if record is one:
                raise error
    assert (one.outcome, other.outcome) == (Failed(error), None)


def test_a_bug_is_no_outcome() -> None:
    record = batch_record()
    with pytest.raises(ZeroDivisionError), record.failures():
        raise ZeroDivisionError
    assert record.outcome is None
