"""The HTTP services and the file store."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from lern_tasks.cli.checks.finding import Check, Finding, ok, problem
from lern_tasks.cli.effective import masked
from lern_tasks.clients.certificate_files import certificate_files
from lern_tasks.clients.content import ContentClient
from lern_tasks.clients.files import Files
from lern_tasks.clients.old_registry import OldRegistryClient
from lern_tasks.clients.registry import RegistryClient
from lern_tasks.clients.search import SearchClient
from lern_tasks.clients.users import UserClient
from lern_tasks.errors import LernError, SettingsError
from lern_tasks.settings import Settings


class Pings(Protocol):
    """A client of a service."""

    def ping(self) -> None:
        """Raises DependencyDown."""

    def close(self) -> None:
        """Close connections."""


_SERVICES: tuple[tuple[str, Callable[[Settings], Pings], str], ...] = (
    ("search", SearchClient.from_settings, "LERN_ACTIVITY_AGGREGATE_UPDATER__SERVICE_SEARCH_BASEPATH"),
    ("content", ContentClient.from_settings, "LERN_COLLECTION_CERT_PRE_PROCESSOR__SERVICE_CONTENT_BASEPATH"),
    ("users", UserClient.from_settings, "LERN_COLLECTION_CERT_PRE_PROCESSOR__SERVICE_LEARNER_BASEPATH"),
)

_REGISTRY = "LERN_COLLECTION_CERTIFICATE_GENERATOR__SERVICE_RC_BASEPATH"
_OLD_REGISTRY = "LERN_COLLECTION_CERTIFICATE_GENERATOR__SERVICE_CERTREG_BASEPATH"
_CONTAINER = "LERN_COLLECTION_CERTIFICATE_GENERATOR__CERT_CONTAINER_NAME"
_PROBE = "doctor"
"""Name of the file that is written and read: always the same, so that it stays one."""


def checks() -> list[tuple[str, Check]]:
    """One check a service."""
    services = [(name, partial(_ping, name, make, variable)) for name, make, variable in _SERVICES]
    return [*services, ("registry", _registry), ("files", _files)]


def _ping(name: str, make: Callable[[Settings], Pings], variable: str, settings: Settings) -> Iterator[Finding]:
    client = make(settings)
    try:
        client.ping()
    except LernError as error:
        yield problem(name, masked(str(error)), f"start it, or correct {variable}")
    else:
        yield ok(name, "answers")
    finally:
        client.close()


def _registry(settings: Settings) -> Iterator[Finding]:
    if not settings.collection_certificate_generator.enable_rc_certificate:
        yield from _old_registry(settings)
        return
    client = RegistryClient.from_settings(settings)
    try:
        client.ping()
        client.key_id()
    except LernError as error:
        yield problem("registry", masked(str(error)), f"start it, give it a key, or correct {_REGISTRY}")
    else:
        yield ok("registry", "answers, and has a public key")
    finally:
        client.close()


def _old_registry(settings: Settings) -> Iterator[Finding]:
    """What takes the registry's place. Into the container nothing is written: others see what it holds."""
    try:
        certificate_files(settings).ping()
    except SettingsError as error:
        yield problem("certificate files", masked(str(error)), "set what it names; certificates wait until then")
    except LernError as error:
        yield problem("certificate files", masked(str(error)), f"start the store, or correct {_CONTAINER}")
    else:
        yield ok("certificate files", "the container of the documents answers")
    yield from _ping("registry", OldRegistryClient.from_settings, _OLD_REGISTRY, settings)


def _files(settings: Settings) -> Iterator[Finding]:
    files = Files(settings.files.location)
    try:
        files.get(files.put(_PROBE, b"written by lern doctor\n"))
    except LernError as error:
        yield problem("files", masked(str(error)), "make LERN_FILES__URL writable, or set another")
    else:
        yield ok("files", f"{masked(settings.files.location)} can be written and read")
