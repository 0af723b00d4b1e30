"""Sunbird Lern's event jobs and reports as a Celery task queue. See docs/architecture.md."""

import sys
from typing import Any


def __getattr__(name: str) -> Any:
    """`celery -A lern_tasks` asks for `lern_tasks.celery`; nothing else pays for importing the app."""
    if name == "celery":
        from lern_tasks.app import configured_app  # noqa: PLC0415 (only when asked for)
        from lern_tasks.errors import SettingsError  # noqa: PLC0415 (as above)

        try:
            return configured_app()
        except SettingsError as error:
            # Celery would print a trace of sixty lines around it.
            print(f"lern_tasks: {error}", file=sys.stderr)  # noqa: T201 (no log is set up yet)
            sys.exit(2)
    raise AttributeError(name)
