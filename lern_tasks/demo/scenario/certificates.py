"""The demo's certificates as files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx

from lern_tasks.demo.scenario.rows import Enrolled
from lern_tasks.demo.servers.stack import EmbeddedStack
from lern_tasks.sunbird.enrolment_key import EnrolmentKey

_SECONDS = 30.0
"""For one answer of the embedded registry, which draws a certificate in milliseconds on a free machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCertificate:
    """An issued certificate, whose it is, and the file that it was saved to."""

    key: EnrolmentKey
    name: str
    identifier: str
    file: Path


def save_certificates(
    stack: EmbeddedStack, enrolled: Iterable[Enrolled], directory: Path
) -> tuple[SavedCertificate, ...]:
    """Fetch the picture of every certificate from the registry. Raises httpx.HTTPError when it does not give one."""
    entity = stack.settings.collection_certificate_generator.service_rc_entity
    base = f"{stack.registry_url}/api/v1/{entity}"
    saved = []
    with httpx.Client(trust_env=False, timeout=_SECONDS, headers={"Accept": "image/svg+xml"}) as client:
        for row in enrolled:
            for name, identifier in row.certificates.items():
                file = directory / f"{row.key.user_id} {name}.svg"
                file.write_bytes(client.get(f"{base}/{identifier}").raise_for_status().content)
                saved.append(SavedCertificate(key=row.key, name=name, identifier=identifier, file=file))
    return tuple(saved)
