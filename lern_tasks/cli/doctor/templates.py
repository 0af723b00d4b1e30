"""Whether certificate templates lie on hosts that they may be read from."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from celery import Celery

from lern_tasks.cli.doctor.finding import Check, Finding, Jobs, ok, problem, warning
from lern_tasks.errors import InvalidEvent, LernError
from lern_tasks.jobs.certificates.api import CertificateResources, TemplateHosts, place_of
from lern_tasks.settings import Settings
from lern_tasks.sunbird.table_names import for_job

_JOB: Final = "collection_certificate_generator"

_NAME = "certificate templates"

_BATCHES = 1_000
"""Batches that are looked at: enough to meet the hosts of an installation, in a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    url: str
    batch: str


def checks(jobs: Jobs) -> list[Check]:
    """One check, for the job that reads templates."""
    why = "a certificate whose template is refused is not issued; a host inside the network is asked in our name"
    return [Check(name=_NAME, look=_look, why=why, jobs=(_JOB,))] if _JOB in jobs else []


def _look(settings: Settings) -> Iterator[Finding]:
    try:
        places = _places(settings)
    except LernError:
        # The check of Cassandra says it.
        return
    hosts = TemplateHosts.from_settings(settings)
    found = [finding for place, seen in places.items() if (finding := _finding(hosts, *place, seen))]
    yield from found or [ok(_NAME, f"{len(places)} hosts in up to {_BATCHES:,} batches, all public or ours")]


def _places(settings: Settings) -> dict[tuple[str, int], _Seen]:
    """The hosts and ports of templates, each with an example."""
    storage = settings.collection_certificate_generator.cloud_storage
    resources = CertificateResources(settings, Celery(set_as_current=False))
    columns = ("courseid", "batchid", "cert_templates")
    try:
        page = resources.gateway.scan(for_job(settings, _JOB).course_batch, columns, after=None, limit=_BATCHES)
    finally:
        resources.close()
    found: dict[tuple[str, int], _Seen] = {}
    for row in page.rows:
        for texts in (row["cert_templates"] or {}).values():
            url = storage.opened(texts.get("url") or "")
            place = place_of(url)
            if place:
                found.setdefault(place, _Seen(url=url, batch=f"course {row['courseid']}, batch {row['batchid']}"))
    return found


def _finding(hosts: TemplateHosts, host: str, port: int, seen: _Seen) -> Finding | None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        # Names may be others on this machine than on the workers'.
        found = []
    addresses = [ip_address(entry[4][0]) for entry in found]
    try:
        hosts.check(seen.url)
        for address in addresses:
            hosts.admit(host, port, address)
    except InvalidEvent as error:
        return problem(_NAME, f"{host}:{port} ({seen.batch}): {error}", "add the template to the batch again, mended")
    if any(hosts.is_private(host, port, address) for address in addresses):
        to_do = "set LERN_HTTP__PRIVATE_HOSTS=false, or name the hosts of templates in LERN_HTTP__ALLOWED_HOSTS"
        return warning(_NAME, f"{host}:{port} lies in a private network ({seen.batch})", to_do)
    return None
