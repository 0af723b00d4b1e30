"""The workers' app with a poison: a marked record ends the process that reads it. `celery -A tests.crash.poison_app`"""

import os
import signal
from typing import Any

from lern_tasks.app import app
from lern_tasks.delivery.batch import BatchRecord

__all__ = ["MARKER", "app"]

MARKER = "poison-for-tests"

_parse = BatchRecord.parse


def _poisoned(item: BatchRecord[Any], parse: Any) -> None:
    if MARKER in (item.record.value or ""):
        os.kill(os.getpid(), signal.SIGKILL)
    _parse(item, parse)


setattr(BatchRecord, "parse", _poisoned)  # noqa: B010 (a type checker refuses the plain assignment)
