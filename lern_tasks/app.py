"""The Celery app: `celery -A lern_tasks worker|beat|flower`. See docs/operations.md."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_after_setup, setup_logging, worker_init

from lern_tasks import logs, settings, storage
from lern_tasks.settings import celery_layers

TASK_MODULES = (
    "lern_tasks.jobs.relations.relation_cache_updater",
    "lern_tasks.jobs.progress.activity_aggregate_updater",
    "lern_tasks.jobs.assessments.assessment_aggregator",
    "lern_tasks.jobs.progress.enrolment_reconciliation",
    "lern_tasks.jobs.accounts.merge_user_courses",
    "lern_tasks.jobs.certificates.eligibility.collection_cert_pre_processor",
    "lern_tasks.jobs.certificates.issuing.collection_certificate_generator",
    "lern_tasks.jobs.certificates.follow_up.certificate_notification",
    "lern_tasks.jobs.certificates.follow_up.certificate_user_feed",
    "lern_tasks.jobs.certificates.follow_up.certificate_replacement",
    "lern_tasks.jobs.users.user_cache_updater",
    "lern_tasks.jobs.users.index.index_users",
    "lern_tasks.operations.reconcile",
    "lern_tasks.operations.reissue",
    "lern_tasks.operations.missing_certificates",
    "lern_tasks.delivery.parked_messages",
)
"""Every module with tasks; nothing is found by itself."""

app = Celery("lern_tasks", include=TASK_MODULES)
app.config_from_object(celery_layers.SOURCE)


def configured_app() -> Celery:
    """The app with its configuration read. Raises SettingsError."""
    app.conf.finalize()
    return app


@setup_logging.connect
def _configure_logs(**_: Any) -> None:
    logs.configure(settings.current())


@celeryd_after_setup.connect
@beat_init.connect
def _log_config(**_: Any) -> None:
    logs.logger(__name__).info("celery_config", **celery_layers.current().described())


@worker_init.connect
def _import_before_fork(**_: Any) -> None:
    storage.import_before_fork(settings.current())


@worker_init.connect
def _check_environment(**_: Any) -> None:
    # Read by billiard when it is imported, before any module of ours: only the environment can say it.
    if os.environ.get("REMAP_SIGTERM") != "SIGQUIT":
        logs.logger(__name__).warning(
            "soft_shutdown_off", remedy="set REMAP_SIGTERM=SIGQUIT, or SIGTERM waits for running tasks without limit"
        )
