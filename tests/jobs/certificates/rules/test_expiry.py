"""The end of a certificate: a time, or terms after the day of issue."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.errors import InvalidEvent
from lern_tasks.jobs.certificates.rules.expiry import expires

ISSUED_ON = datetime(2024, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expiry", "end"),
    [
        ("", ""),
        (" ", ""),
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
        ("1d", "2024-03-01T00:00:00Z"),
        ("1m", "2024-03-29T00:00:00Z"),
        ("1Y", "2025-02-28T00:00:00Z"),
        ("4y", "2028-02-29T00:00:00Z"),
        ("11m 2D", "2025-01-31T00:00:00Z"),
        ("1y 6m 10d", "2025-09-07T00:00:00Z"),
        ("0d", "2024-02-29T00:00:00Z"),
    ],
)
def test_expiry(expiry: str, end: str) -> None:
    assert expires(expiry, ISSUED_ON) == end


@pytest.mark.parametrize("expiry", ["9999y", "99999999999999d", "9" * 5000 + "m", "1d 95800m"])
def test_an_expiry_that_no_calendar_has_is_refused(expiry: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        expires(expiry, ISSUED_ON)
    assert caught.value.field == "edata.expiry"


@given(st.integers(0, 2000), st.sampled_from("dmyDMY"), st.datetimes(datetime(1, 1, 2), datetime(5000, 1, 1)))
def test_a_term_leads_forward_and_is_written_in_full(count: int, unit: str, day: datetime) -> None:
    issued_on = day.replace(tzinfo=UTC, microsecond=0)
    end = datetime.fromisoformat(expires(f"{count}{unit}", issued_on))
    assert end >= issued_on
    least = {"d": 1, "m": 28, "y": 365}[unit.lower()]
    assert (end - issued_on).days >= count * least - 3
