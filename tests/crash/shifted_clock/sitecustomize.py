"""Shifts the clock of a Python process by TEST_CLOCK_SHIFT seconds: put this directory on its PYTHONPATH."""

import datetime
import os
import time
from typing import Any

_SHIFT = float(os.environ.get("TEST_CLOCK_SHIFT", "0"))
_time = time.time
_datetime = datetime.datetime


class _Shifted(datetime.datetime):
    """`datetime.datetime` whose now is the shifted one."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return _datetime.fromtimestamp(time.time(), tz)


if _SHIFT:
    # It declares the form of messages, for which msgspec knows Python's own type alone.
    import lern_tasks.delivery.transport.task_message  # noqa: F401

    time.time = lambda: _time() + _SHIFT
    time.time_ns = lambda: int((_time() + _SHIFT) * 1e9)
    datetime.datetime = _Shifted  # type: ignore[misc]
