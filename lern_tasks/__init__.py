"""Sunbird Lern's event jobs and reports as a Celery task queue. See docs/architecture.md."""

import os
from typing import Any

# A stopping worker lets its tasks finish for the soft shutdown time, then gives the rest back to the broker; plain
# SIGTERM would wait for them without limit. Read by billiard when it is imported, hence here.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")


def __getattr__(name: str) -> Any:
    """`celery -A lern_tasks` asks for `lern_tasks.celery`; nothing else pays for importing the app."""
    if name == "celery":
        from lern_tasks.app import app  # noqa: PLC0415 (only when asked for)

        return app
    raise AttributeError(name)
