"""Dates that are stored as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lern_tasks.errors import SettingsError
from lern_tasks.jobs.accounts.rules.text_dates import date_format

DEFAULT = "yyyy-MM-dd HH:mm:ss:SSSZ"


@pytest.mark.parametrize(
    ("pattern", "text", "moment"),
    [
        (DEFAULT, "2023-05-09 10:05:04:123+0530", datetime(2023, 5, 9, 4, 35, 4, 123_000, UTC)),
        (DEFAULT, "2023-05-09 05:00:00:000+0000", datetime(2023, 5, 9, 5, tzinfo=UTC)),
        (DEFAULT, "2023-05-09 05:00:00:000-0330", datetime(2023, 5, 9, 8, 30, tzinfo=UTC)),
        (DEFAULT, "2023-05-09 05:00:00:000Z", datetime(2023, 5, 9, 5, tzinfo=UTC)),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2023-05-09T05:00:00+05:30", datetime(2023, 5, 8, 23, 30, tzinfo=UTC)),
        ("dd.M.yyyy", "09.12.2023", datetime(2023, 12, 9, tzinfo=UTC)),
        ("yyyyMMdd ''H", "20231209 '7", datetime(2023, 12, 9, 7, tzinfo=UTC)),
    ],
)
def test_dates_of_several_forms(pattern: str, text: str, moment: datetime) -> None:
    assert date_format(pattern).moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "n/a",
        "2023-05-09",
        "2023-13-09 10:05:04:123+0530",
        "2023-02-30 10:05:04:123+0000",
        "2023-05-09 10:05:04:123",
        "2023-05-09 25:05:04:123+0000",
        "2023-05-09 10:05:04:123+0530 ",
        "２０２３-05-09 10:05:04:123+0530",
        "0001-01-01 00:00:00:000+2300",
        "9999-12-31 23:59:59:999-2359",
        "2023-05-09 10:05:04:123+9999",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert date_format(DEFAULT).moment(text) is None


@pytest.mark.parametrize(
    "pattern", ["", "HH:mm", "yyyy-MMM-dd", "yy-MM-dd", "hh:mm a dd MM yyyy", "yyyy-MM-dd z", "dd dd"]
)
def test_a_pattern_that_is_not_understood_is_a_wrong_setting(pattern: str) -> None:
    with pytest.raises(SettingsError, match=r"course\.date\.format"):
        date_format(pattern)


@given(
    moment=st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)),
    minutes=st.integers(-23 * 60, 23 * 60),
)
def test_what_is_written_in_a_form_is_read_again(moment: datetime, minutes: int) -> None:
    local = moment.astimezone(timezone(timedelta(minutes=minutes)))
    text = f"{local:%Y-%m-%d %H:%M:%S}:{local.microsecond // 1000:03d}{local:%z}"
    assert date_format(DEFAULT).moment(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@given(st.text(), st.text(alphabet="yMdHmsSZX-:' ae"))
def test_no_text_and_no_pattern_is_too_strange(text: str, pattern: str) -> None:
    date_format(DEFAULT).moment(text)
    try:
        date_format(pattern).moment(text)
    except SettingsError:
        return
