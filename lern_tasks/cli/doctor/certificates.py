"""Where certificates are made and kept: the registry, or what takes its place."""

from collections.abc import Iterator

from lern_tasks.catalogue import EventJob
from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, ok, problem
from lern_tasks.cli.doctor.services import Service, patient, prefix
from lern_tasks.cli.effective import masked
from lern_tasks.errors import LernError, SettingsError
from lern_tasks.jobs.certificates.api import (
    OldRegistryClient,
    RegistryClient,
    SearchIndexClient,
    SigningClient,
    certificate_files,
)
from lern_tasks.settings import Settings

_JOB: EventJob = "collection_certificate_generator"
_WAIT = "no certificate is issued until then; what has been earned waits"

_OLD = (
    Service(
        name="old registry",
        job=_JOB,
        make=OldRegistryClient.from_settings,
        variable="SERVICE_CERTREG_BASEPATH",
        why=_WAIT,
    ),
    Service(name="signing", job=_JOB, make=SigningClient.from_settings, variable="SERVICE_ENC_BASEPATH", why=_WAIT),
)

_INDEX = Service(
    name="search index",
    job=_JOB,
    make=SearchIndexClient.from_settings,
    variable="ES_BASEPATH",
    why="certificates of the old registry that were replaced stay in its index",
)


def checks(settings: Settings, jobs: Jobs) -> list[Check]:
    """What the generator needs as it is set."""
    if _JOB not in jobs:
        return []
    own = settings.collection_certificate_generator
    index = [_INDEX.check()] if own.es_basepath else []
    if own.enable_rc_certificate:
        return [Check(name="registry", look=_registry, why=_WAIT, jobs=(_JOB,)), *index]
    files = Check(name="certificate files", look=_container, why=_WAIT, jobs=(_JOB,))
    return [files, *(service.check() for service in _OLD), *index]


def _registry(settings: Settings) -> Iterator[Finding]:
    client = None
    try:
        client = RegistryClient.from_settings(patient(settings))
        client.ping()
        client.key_id()
    except LernError as error:
        remedy = f"start it, give it a key, or correct {prefix(_JOB)}SERVICE_RC_BASEPATH"
        yield problem("registry", masked(str(error)), remedy)
    else:
        yield ok("registry", "answers, and has a public key")
    finally:
        if client is not None:
            client.close()


def _container(settings: Settings) -> Iterator[Finding]:
    """Nothing is written into the container: others see what it holds."""
    try:
        certificate_files(settings).ping()
    except SettingsError as error:
        yield problem("certificate files", masked(str(error)), "set what it names")
    except LernError as error:
        remedy = f"start the store, or correct {prefix(_JOB)}CERT_CONTAINER_NAME"
        yield problem("certificate files", masked(str(error)), remedy)
    else:
        yield ok("certificate files", "the container of the documents answers")
