"""Chains that issue certificates without the registry, and what they leave."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from lern_tasks.demo.platform.old_registry import OldRegistry
from lern_tasks.sunbird.tables import ENROLMENTS
from tests.harness.course import ROW, batch, enrol
from tests.harness.in_process import Chain
from tests.harness.requests import generate

JOB: Final = "collection_certificate_generator"
PREFIX: Final = "LERN_COLLECTION_CERTIFICATE_GENERATOR__"
BASE: Final = "https://dev.sunbirded.org/certs"
SVG: Final = "data:image/svg+xml,"
TEMPLATE: Final = """<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="1060" height="750">
  <rect width="100%" height="100%" fill="#fffdf7"/>
  <g font-family="Georgia, 'Noto Serif', serif"
     text-anchor="middle">
    <text x="530" y="130">${certificateName}</text>
    <text x="530" y="275">${recipientName}</text>
    <text x="530" y="350">${certificateDescription:-has completed}</text>
    <text x="530" y="412">${courseName}</text>
    <text x="90" y="590">${issuerName}, ${issuedDate}</text>
    <text x="90" y="630">${signatory0Designation}</text>
  </g>
  <image x="80" y="60" width="90" height="90" xlink:href="${signatory0Image}"/>
  <image x="780" y="460" width="224" height="258" xlink:href="${qrCodeImage}" style="image-rendering: pixelated"/>
</svg>
"""

Make = Callable[..., "Documents"]


class Documents:
    """A chain, the old registry that it uses, and the folder of its documents."""

    def __init__(self, chain: Chain, old: OldRegistry, folder: Path) -> None:
        self.chain = chain
        self.old = old
        self.folder = folder
        chain.platform.add(templates={"merit.svg": TEMPLATE})
        batch(chain, "Course Merit")
        enrol(chain, status=2)

    def event(self, name: str = "Course Merit", **fields: Any) -> dict[str, Any]:
        """A request whose template is the platform's."""
        return generate(name, **{"svgTemplate": self.chain.platform.template_url("merit.svg"), **fields})

    def run(self, *events: dict[str, Any]) -> dict[str, int]:
        """Run one message."""
        return self.chain.run(JOB, *(self.chain.record(event) for event in events))

    @property
    def elements(self) -> list[dict[str, str]]:
        """The certificates of the enrolment."""
        found: list[dict[str, str]] = self.chain.row(ENROLMENTS, ROW).get("issued_certificates", [])
        return found

    @property
    def files(self) -> dict[str, Any]:
        """The documents by name."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): json.loads(path.read_bytes()) for path in paths}

    @property
    def added(self) -> list[dict[str, Any]]:
        """What the registry was asked to register."""
        requests = self.old.requests_to("POST", "/certs/v2/registry/add")
        return [request.body["request"] for request in requests]


def without_registry(old: OldRegistry, folder: Path) -> dict[str, str]:
    """The settings of certificates as documents in `folder`."""
    return {
        f"{PREFIX}ENABLE_RC_CERTIFICATE": "false",
        f"{PREFIX}CERT_DOMAIN_URL": "https://dev.sunbirded.org/",
        f"{PREFIX}CERT_CONTAINER_NAME": folder.as_uri(),
        f"{PREFIX}SERVICE_CERTREG_BASEPATH": old.registry_url,
        f"{PREFIX}SERVICE_ENC_BASEPATH": old.signing_url,
        # Nobody may ask the registry.
        f"{PREFIX}SERVICE_RC_BASEPATH": "http://127.0.0.1:9/api/v1",
    }


@contextmanager
def documents(make_chain: Callable[..., Chain], folder: Path, **env: str) -> Iterator[Documents]:
    """A chain without the registry."""
    with OldRegistry() as old:
        yield Documents(make_chain(**{**without_registry(old, folder), **env}), old, folder)


def svg_of(document: dict[str, Any]) -> str:
    """The picture's XML."""
    return unquote(document["printUri"].removeprefix(SVG))
