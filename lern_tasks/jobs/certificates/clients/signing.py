"""The service that signs certificates. See docs/jobs/collection_certificate_generator.md, "Document"."""

from collections.abc import Mapping
from typing import Any, Self

import httpx

from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http, member, segment
from lern_tasks.errors import TransientError
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings


class SigningClient:
    """`base` is the documented `service.enc.basePath`."""

    def __init__(self, base: str, *, http: HttpSettings, transport: httpx.BaseTransport | None = None) -> None:
        self._http = Http("signing", base, http, transport=transport)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The client that the generator's settings describe."""
        return cls(settings.collection_certificate_generator.service_enc_basepath, http=settings.http)

    @operation("signing", "sign")
    def sign(self, key_id: str, entity: Mapping[str, Any]) -> str:
        """The signature of `entity` by the key. Raises what `Http.call` raises, TransientError without a signature."""
        answer = self._http.call("POST", f"/sign/{segment(key_id)}", body={"entity": entity})
        value = member(answer, "signatureValue")
        if not isinstance(value, str) or not value:
            raise TransientError("signing answers without a signature", "signing")
        return value

    def ping(self) -> None:
        """Raise DependencyDown unless the service answers."""
        self._http.ping()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
