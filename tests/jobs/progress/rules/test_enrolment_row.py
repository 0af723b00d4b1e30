"""What becomes of the enrolment row, and when a certificate is asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from lern_tasks.jobs.progress.rules.enrolment_row import (
    EnrolmentUpdate,
    StoredEnrolment,
    decide_enrolment,
    needs_certificate,
)
from lern_tasks.jobs.progress.rules.progress import Progress

NOW = datetime(2024, 3, 1, 10, tzinfo=UTC)
EARLIER = NOW - timedelta(days=3)
NO_ROW = StoredEnrolment(exists=False, active=None, status=None, completed_on=None, issued_names=())
IN_PROGRESS = Progress(completed=2, required=3, complete=False, units={}, content_status={"r1": 2, "r2": 2})
COMPLETE = Progress(completed=3, required=3, complete=True, units={}, content_status={"r1": 2, "r2": 2, "r3": 2})


def row(
    status: int | None, *, active: bool = True, completed_on: datetime | None = None, issued: tuple[str, ...] = ()
) -> StoredEnrolment:
    return StoredEnrolment(exists=True, active=active, status=status, completed_on=completed_on, issued_names=issued)


def decide(stored: StoredEnrolment, progress: Progress, *, filter_processed: bool = True) -> EnrolmentUpdate | None:
    return decide_enrolment(stored, progress, now=NOW, filter_processed=filter_processed)


@pytest.mark.parametrize("filter_processed", [True, False])
@pytest.mark.parametrize("stored", [row(None), row(0), row(1), row(0, active=False)])
def test_a_row_in_progress_is_written(stored: StoredEnrolment, filter_processed: bool) -> None:
    assert decide(stored, IN_PROGRESS, filter_processed=filter_processed) == EnrolmentUpdate(
        status=1, progress=2, content_status=IN_PROGRESS.content_status, completed_on=None, newly_completed=False
    )


@pytest.mark.parametrize("filter_processed", [True, False])
@pytest.mark.parametrize("stored", [row(None), row(0), row(1), row(0, active=False)])
def test_a_row_that_becomes_complete_is_written_with_its_time(stored: StoredEnrolment, filter_processed: bool) -> None:
    assert decide(stored, COMPLETE, filter_processed=filter_processed) == EnrolmentUpdate(
        status=2, progress=3, content_status=COMPLETE.content_status, completed_on=NOW, newly_completed=True
    )


@pytest.mark.parametrize("progress", [IN_PROGRESS, COMPLETE])
@pytest.mark.parametrize("stored", [NO_ROW, row(2, completed_on=EARLIER), row(2)])
def test_with_the_filter_absent_and_completed_rows_are_left(stored: StoredEnrolment, progress: Progress) -> None:
    assert decide(stored, progress) is None


def test_without_the_filter_an_absent_row_is_created() -> None:
    update = decide(NO_ROW, IN_PROGRESS, filter_processed=False)
    assert update is not None
    assert (update.status, update.completed_on, update.newly_completed) == (1, None, False)
    update = decide(NO_ROW, COMPLETE, filter_processed=False)
    assert update is not None
    assert (update.status, update.completed_on, update.newly_completed) == (2, NOW, True)


@pytest.mark.parametrize("progress", [IN_PROGRESS, COMPLETE])
def test_without_the_filter_a_completed_row_is_rewritten_and_stays_completed(progress: Progress) -> None:
    update = decide(row(2, completed_on=EARLIER), progress, filter_processed=False)
    assert update == EnrolmentUpdate(
        status=2,
        progress=progress.completed,
        content_status=progress.content_status,
        completed_on=None,
        newly_completed=False,
    )


def test_the_time_of_completion_is_set_once_even_where_the_status_fell_back() -> None:
    update = decide(row(1, completed_on=EARLIER), COMPLETE)
    assert update is not None
    assert (update.status, update.completed_on, update.newly_completed) == (2, None, True)


def test_a_row_with_nothing_completed_is_started() -> None:
    nothing = Progress(completed=0, required=3, complete=False, units={}, content_status={"r1": 1})
    update = decide(row(0), nothing)
    assert update is not None
    assert (update.status, update.progress, update.content_status) == (1, 0, {"r1": 1})


@pytest.mark.parametrize(
    ("stored", "progress", "delivered_before", "wanted"),
    [
        pytest.param(row(1), COMPLETE, False, True, id="completes now"),
        pytest.param(row(1, issued=("score",)), COMPLETE, False, True, id="completes now, has one for its score"),
        pytest.param(row(1), IN_PROGRESS, True, False, id="in progress"),
        pytest.param(row(2), COMPLETE, False, True, id="completed, none issued: the request may be lost"),
        pytest.param(row(2, issued=("merit",)), COMPLETE, False, False, id="completed and issued"),
        pytest.param(row(2, issued=("merit",)), COMPLETE, True, True, id="issued, but delivered before"),
        pytest.param(row(2), IN_PROGRESS, True, False, id="the course has grown since"),
        pytest.param(NO_ROW, COMPLETE, True, False, id="not enrolled"),
        pytest.param(row(2, active=False), COMPLETE, False, True, id="left: the pre-processor drops it"),
    ],
)
def test_a_certificate_is_asked_for(
    stored: StoredEnrolment, progress: Progress, delivered_before: bool, wanted: bool
) -> None:
    update = decide(stored, progress)
    assert needs_certificate(stored, update, progress, delivered_before=delivered_before) is wanted


@pytest.mark.parametrize(
    ("stored", "delivered_before", "wanted"),
    [
        (NO_ROW, False, True),
        (row(2), False, True),
        (row(2, issued=("m",)), False, False),
        (row(2, issued=("m",)), True, True),
    ],
)
def test_a_certificate_is_asked_for_without_the_filter(
    stored: StoredEnrolment, delivered_before: bool, wanted: bool
) -> None:
    update = decide(stored, COMPLETE, filter_processed=False)
    assert needs_certificate(stored, update, COMPLETE, delivered_before=delivered_before) is wanted
