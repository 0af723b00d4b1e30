"""The Celery app: `celery -A lern_tasks worker|beat|flower`. See docs/operations.md."""

import os
from typing import Any

import click
from celery import Celery
from celery.signals import beat_init, celeryd_after_setup, setup_logging

from lern_tasks import catalogue, logs, settings
from lern_tasks.settings import celery_layers

app = Celery("lern_tasks", include=catalogue.TASK_MODULES)
app.config_from_object(celery_layers.SOURCE)
app.steps["worker"].add("lern_tasks.delivery.stopping:Stopping")


def configured_app() -> Celery:
    """The app with its configuration read. Raises SettingsError."""
    app.conf.finalize()
    context = click.get_current_context(silent=True)
    if context is not None and context.invoked_subcommand == "flower":
        from lern_tasks import flower_guard  # noqa: PLC0415 (workers need no web server)

        flower_guard.install(settings.current())
    return app


@setup_logging.connect
def _configure_logs(**_: Any) -> None:
    logs.configure(settings.current())


@celeryd_after_setup.connect
@beat_init.connect
def _log_config(**_: Any) -> None:
    logs.logger(__name__).info("celery_config", **celery_layers.current().described())


@celeryd_after_setup.connect
def _check_environment(**_: Any) -> None:
    # Read by billiard when it is imported, before any module of ours: only the environment can say it.
    if os.environ.get("REMAP_SIGTERM") != "SIGQUIT":
        logs.logger(__name__).warning(
            "soft_shutdown_off", remedy="set REMAP_SIGTERM=SIGQUIT, or SIGTERM waits for running tasks without limit"
        )
