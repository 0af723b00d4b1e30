"""The services that jobs ask, and the files of dead letters."""

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any

from celery import Celery

from lern_tasks.catalogue import ROWS, EventJob
from lern_tasks.catalogue.row import Service
from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, ok, problem
from lern_tasks.cli.doctor.used import used
from lern_tasks.cli.effective import masked
from lern_tasks.connections.files import Files
from lern_tasks.errors import LernError, SettingsError
from lern_tasks.settings import Settings

_LIMIT = 5.0
"""Seconds to wait for an answer, at most: it is asked for a sign of life, not for work."""

_PROBE = "doctor"
"""Name of the file that is written and read: always the same, so that it stays one."""


def checks(settings: Settings, jobs: Jobs) -> list[Check]:
    """One check a service that `jobs` ask as they are set, and the store of large values."""
    services = [
        Check(name=service.name, look=partial(_look, job, service), why=service.why, jobs=(job,))
        for job in jobs
        for service in ROWS[job].services
        if used(settings, job, service.unless)
    ]
    return [Check(name="files", look=_files, why="a dead letter too large for its topic is kept there"), *services]


def _impatient(settings: Settings) -> Settings:
    """The settings with short limits for HTTP."""
    http = settings.http
    limits = {
        "connect_timeout": min(http.connect_timeout, _LIMIT),
        "read_timeout": min(http.read_timeout, _LIMIT),
        "answer_timeout": min(http.answer_timeout, _LIMIT),
    }
    return settings.model_copy(update={"http": http.model_copy(update=limits)})


def _look(job: EventJob, service: Service, settings: Settings) -> Iterator[Finding]:
    client, address = None, masked(str(getattr(settings.job(job), service.variable.lower())))
    try:
        client = _client(job, service, _impatient(settings))
        for question in service.asks:
            getattr(client, question)()
    except LernError as error:
        remedy = f"{service.remedy}, or correct LERN_{job.upper()}__{service.variable}"
        misset = isinstance(error, SettingsError) and service.misset
        yield problem(service.name, f"{address}: {masked(str(error))}", misset or remedy)
    else:
        yield ok(service.name, f"{address} {service.answers}")
    finally:
        if client is not None:
            getattr(client, "close", lambda: None)()


def _client(job: EventJob, service: Service, settings: Settings) -> Any:
    """The client that the job itself asks by. Raises LernError for an address that is none."""
    kind, _, member = service.client.partition(".")
    resources = getattr(import_module(f"lern_tasks.jobs.{ROWS[job].domain}.api"), kind)
    return getattr(resources(settings, Celery(set_as_current=False)), member)


def _files(settings: Settings) -> Iterator[Finding]:
    files = Files(settings.files.location)
    try:
        files.get(files.put(_PROBE, b"written by lern doctor\n"))
    except LernError as error:
        yield problem("files", masked(str(error)), "make LERN_FILES__URL writable, or set another")
    else:
        yield ok("files", f"{masked(settings.files.location)} can be written and read")
