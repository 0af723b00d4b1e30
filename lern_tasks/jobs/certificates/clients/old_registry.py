"""The old certificate registry, which keeps `cert_registry` and its index.

See docs/jobs/collection_certificate_generator.md, "Document".
"""

from collections.abc import Mapping
from typing import Any, Self

import httpx

from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http, segment
from lern_tasks.errors import TransientError
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings

# What the service answers to an id that it has; it answers the same to much else.
_MAYBE_THERE = (400, 409)


class OldRegistryClient:
    """`base` is the documented `service.certreg.basePath`."""

    def __init__(self, base: str, *, http: HttpSettings, transport: httpx.BaseTransport | None = None) -> None:
        self._http = Http("old_registry", base, http, transport=transport)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The client that the generator's settings describe."""
        return cls(settings.collection_certificate_generator.service_certreg_basepath, http=settings.http)

    @operation("old_registry", "add")
    def add(self, body: Mapping[str, Any]) -> bool:
        """Register a certificate; False when its id is registered already, which is as good.

        So an unknown outcome needs no care: it is simply done again. The service deletes the certificate `oldId` first.
        Raises RefusedByService when the service refuses the certificate, DependencyDown or TransientError otherwise.
        """
        response = self._http.send("POST", "/certs/v2/registry/add", body=body)
        if response.status_code == 200:
            return True
        if response.status_code in _MAYBE_THERE and self._has(body["request"]["id"]):
            return False
        self._http.check(response)
        raise TransientError(f"old_registry answers {response.status_code}, which is not documented", "old_registry")

    def ping(self) -> None:
        """Raise DependencyDown unless the registry answers."""
        self._http.ping()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _has(self, certificate_id: str) -> bool:
        response = self._http.send("GET", f"/certs/v1/registry/read/{segment(certificate_id)}")
        if response.status_code in (400, 404):
            return False
        self._http.check(response)
        return True
