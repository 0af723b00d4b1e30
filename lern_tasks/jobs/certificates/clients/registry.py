"""The Sunbird RC registry: creates, finds and deletes certificates.

See docs/jobs/collection_certificate_generator.md, "Failure".
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

import httpx

from lern_tasks.connections.calls import operation
from lern_tasks.connections.http import Http, member, segment
from lern_tasks.connections.ttl_cache import TtlCache
from lern_tasks.errors import RefusedByService, SettingsError, TransientError, UnknownOutcome
from lern_tasks.settings import Settings
from lern_tasks.settings.shared import HttpSettings


class RegistryClient:
    """One registry and one entity (`TrainingCertificate`). `kid_expiry`: seconds that the key id is remembered.

    `api_key` goes as it is into the Authorization header of a create; empty: no header.
    """

    def __init__(
        self,
        base: str,
        entity: str,
        api_key: str = "",
        *,
        http: HttpSettings,
        kid_expiry: float = 300.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if not (api_key.isascii() and api_key.isprintable()):
            raise SettingsError("service.rc.rcApiKey holds a character that no HTTP header takes")
        self._http = Http("registry", base, http, transport=transport)
        self._entity = entity
        self._authorization = {"Authorization": api_key.strip()} if api_key.strip() else {}
        self._kid = TtlCache(kid_expiry)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The client that the generator's settings describe."""
        job = settings.collection_certificate_generator
        return cls(
            job.service_rc_basepath,
            job.service_rc_entity,
            job.service_rc_rcapikey.get_secret_value(),
            http=settings.http,
            kid_expiry=job.kid_expiry,
        )

    def key_id(self) -> str:
        """The osid of the registry's public key, which certificates name as their issuer's `kid`.

        Raises RefusedByService when the registry has none (a matter of its configuration), and what `Http.call` raises.
        """
        return self._kid.get("kid", self._ask_key_id)

    @operation("registry", "create")
    def create(self, body: Mapping[str, Any]) -> str:
        """Create a certificate and return its osid.

        Raises DependencyDown or TransientError when it is certain that nothing was created, RefusedByService when the
        registry refuses the body, and UnknownOutcome when a certificate may exist: look with `find` before creating
        again.
        """
        path = f"/{segment(self._entity)}"
        answer = self._http.call("POST", path, body=body, headers=self._authorization, write=True)
        osid = member(answer, "result", self._entity, "osid")
        if not isinstance(osid, str) or not osid.strip():
            raise UnknownOutcome("registry created a certificate and gave no osid", "registry")
        return osid

    @operation("registry", "search")
    def find(self, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The active certificates that match, for instance `{"recipient.id": {"eq": "u1"}}`.

        What was created in the last seconds may be missing: the registry's index lags. Raises what `Http.call` raises.
        """
        return self._search(self._entity, filters)

    @operation("registry", "delete")
    def delete(self, osid: str) -> Literal["deleted", "gone", "failed"]:
        """Delete a certificate: `gone` when the registry does not know it, `failed` for any other refusal.

        Older registries answer 500 for what they do not know, so that is `failed` too and no error. Raises
        DependencyDown or TransientError when the call should be repeated; that does no harm.
        """
        response = self._http.send("DELETE", f"/{segment(self._entity)}/{segment(osid)}")
        if response.status_code == 404:
            return "gone"
        if response.status_code == 500:
            return "failed"
        try:
            self._http.check(response)
        except RefusedByService:
            return "failed"
        return "deleted"

    def ping(self) -> None:
        """Raise DependencyDown unless the registry answers."""
        self._http.ping()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @operation("registry", "read key")
    def _ask_key_id(self) -> str:
        keys = self._search("PublicKey", {})
        osid = keys[0].get("osid") if keys else None
        if not isinstance(osid, str) or not osid.strip():
            raise RefusedByService(
                "registry has no public key: certificates cannot name their issuer; check its key set-up"
            )
        return osid

    def _search(self, entity: str, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
        answer = self._http.call("POST", f"/{segment(entity)}/search", body={"filters": dict(filters)})
        # A bare list from registries 1.x, a page object from later ones; 1.x reports an error as 200 with result "".
        found = answer if isinstance(answer, list) else member(answer, "data")
        if not isinstance(found, list):
            raise TransientError(f"registry could not search {entity}", "registry")
        return [entity for entity in found if isinstance(entity, dict)]
