"""Sunbird Lern's event jobs and reports as a Celery task queue. See docs/architecture.md."""

from typing import Any


def __getattr__(name: str) -> Any:
    """`celery -A lern_tasks` asks for `lern_tasks.celery`; nothing else pays for importing the app."""
    if name == "celery":
        from lern_tasks.app import app  # noqa: PLC0415 (only when asked for)

        return app
    raise AttributeError(name)
