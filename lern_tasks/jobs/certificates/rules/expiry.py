"""When a certificate ends. See docs/jobs/collection_certificate_generator.md, "Document"."""

import calendar
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from lern_tasks.errors import InvalidEvent


def expires(expiry: str, issued_on: datetime) -> str:
    """The time at which the certificate ends, empty for never.

    `expiry` has been validated: a time, or terms of days, months and years to add to the day of issue one after the
    other. Raises InvalidEvent when they lead beyond the year 9999.
    """
    terms = expiry.split()
    if not terms or terms[0][-1].lower() not in _ADD:
        return expiry.strip()
    moment = issued_on
    try:
        for term in terms:
            moment = _ADD[term[-1].lower()](moment, int(term[:-1]))
    except (ValueError, OverflowError):
        raise InvalidEvent("edata.expiry leads beyond the year 9999; send a shorter one", "edata.expiry") from None
    return written(moment)


def _months_later(moment: datetime, months: int) -> datetime:
    """The same day of a later month, or the last one of a month that is too short."""
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    if year > datetime.max.year:
        raise OverflowError
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))


_ADD: Mapping[str, Callable[[datetime, int], datetime]] = {
    "d": lambda moment, count: moment + timedelta(days=count),
    "m": _months_later,
    "y": lambda moment, count: _months_later(moment, 12 * count),
}


def written(moment: datetime) -> str:
    """A time as documents have it, in UTC. `moment` is aware."""
    # `strftime` does not write early years with four digits.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
